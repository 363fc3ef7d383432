import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, isJsonObject, silentLogger } from "@skiff/base";
import { openLmdbStore, prefixRange, StoreLockedError } from "@skiff/store";
import { sharedFiles } from "../datastore/shared-cluster.ts";
import type { Machine } from "../lifecycle/machine.ts";
import { takeLock } from "../lifecycle/prepare-home.ts";
import { askServer, livingSupervisor, readAccess } from "../lifecycle/running.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings, writeSettings } from "../settings/settings.ts";
import { readArchive, writeArchive } from "./archive.ts";
import { newSnapshotFolder, snapshotPath } from "./snapshot-folder.ts";

interface Target {
  readonly name: string;
  readonly home: string;
}

interface Effects {
  readonly machine: Machine;
  readonly clock: Clock;
}

const files = ["cluster.json", "store/data.mdb", ...sharedFiles.map((name) => `pki/${name}`)];

/** Writes what the cluster consists of to `file`: settings, authorities and a consistent copy of the store, running or not. */
export async function backupCluster(
  { name, home }: Target,
  file: string,
  { machine, clock }: Effects,
  signal: AbortSignal,
): Promise<void> {
  const paths = clusterPaths(home, name);
  const settings = await readSettings(paths);
  if (settings === undefined) throw new ClusterError("NO_CLUSTER", `there is no cluster "${name}" below ${home}`);
  if (settings.datastore !== undefined) {
    throw new ClusterError(
      "NOT_EMBEDDED",
      "etcd keeps this cluster's state; back it up with: etcdctl snapshot save FILE",
    );
  }
  await using _lock = await takeLock(paths);
  const running = (await livingSupervisor(paths, machine)) !== undefined;
  const folder = running ? await serverSnapshot(settings, paths, signal) : await ownSnapshot(paths, clock);
  try {
    const places = files.map((file) => ({
      name: file,
      path: file.startsWith("store/") ? join(folder, "data.mdb") : join(paths.root, file),
    }));
    await writeArchive(file, places);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function serverSnapshot(settings: ClusterSettings, paths: ClusterPaths, signal: AbortSignal): Promise<string> {
  const access = await readAccess(settings, paths);
  if (access === undefined) throw new ClusterError("PKI_INCOMPLETE", `certificates are missing in ${paths.pki}`);
  const target = { ...access, path: snapshotPath, method: "POST", timeoutMs: 600_000 };
  const answer = await askServer(target, signal);
  const body: unknown = answer?.status === 200 ? JSON.parse(answer.body) : undefined;
  if (isJsonObject(body) && typeof body.folder === "string") return body.folder;
  throw new ClusterError("NO_ANSWER", `the API server gave no copy of its store: ${answer?.body ?? "no answer"}`);
}

async function ownSnapshot(paths: ClusterPaths, clock: Clock): Promise<string> {
  await using store = await openLmdbStore({ folder: paths.store, clock, logger: silentLogger }).catch(asRunning);
  const folder = await newSnapshotFolder(paths.root);
  await store.snapshot(folder);
  return folder;
}

/** A server that was started by hand. */
function asRunning(error: unknown): never {
  if (!(error instanceof StoreLockedError)) throw error;
  throw new ClusterError("RUNNING", "the cluster's server is running; stop it first", { cause: error });
}

/** What a restored cluster holds. */
export interface Restored {
  readonly revision: number;
  readonly objects: number;
}

/**
 * Puts what `file` holds in the place of a cluster that does not run, or makes it where there is none; `skiff up` then
 * starts it. Nothing is changed before the whole of it was found undamaged; the store that was there stays beside it.
 */
export async function restoreCluster(
  { name, home }: Target,
  file: string,
  { machine, clock }: Effects,
): Promise<Restored> {
  const paths = clusterPaths(home, name);
  await mkdir(paths.run, { recursive: true });
  await using _lock = await takeLock(paths);
  if ((await livingSupervisor(paths, machine)) !== undefined) {
    throw new ClusterError("RUNNING", `cluster "${name}" is running; stop it first: skiff down`);
  }
  const before = await readSettings(paths);
  if (before?.datastore !== undefined) {
    throw new ClusterError(
      "NOT_EMBEDDED",
      "etcd keeps this cluster's state; restore it with: etcdctl snapshot restore FILE",
    );
  }
  const folder = await mkdtemp(join(paths.run, "restore-"));
  try {
    await readArchive(file, folder, files);
    const restored = await inspectStore(join(folder, "store"), clock);
    const settings = await readSettings({ ...paths, settings: join(folder, "cluster.json") });
    if (settings === undefined) throw new ClusterError("BACKUP_DAMAGED", `${file} holds no settings`);
    if (existsSync(paths.store)) await requireFree(paths, clock);
    const { serviceCidr, nodePorts, clusterDomain } = settings;
    await replace(join(folder, "pki"), paths.pki);
    await replace(join(folder, "store"), paths.store);
    await writeSettings(
      paths,
      before === undefined ? { ...settings, name } : { ...before, serviceCidr, nodePorts, clusterDomain },
    );
    return restored;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Throws while a server has the store open. A store that is damaged may be why it is restored. */
async function requireFree(paths: ClusterPaths, clock: Clock): Promise<void> {
  try {
    await using _store = await openLmdbStore({ folder: paths.store, clock, logger: silentLogger });
  } catch (error) {
    if (error instanceof StoreLockedError) asRunning(error);
  }
}

/** Reads everything: each record carries a checksum. */
async function inspectStore(folder: string, clock: Clock): Promise<Restored> {
  await using store = await openLmdbStore({ folder, clock, logger: silentLogger });
  const { count, revision } = await store.range(prefixRange("/registry/"));
  return { revision, objects: count };
}

/** What is replaced stays beside it. Where it is there but what replaces it is not, this was cut off in between before. */
async function replace(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    const old = `${to}.replaced`;
    await rm(old, { recursive: true, force: true });
    await rename(to, old);
  }
  await rename(from, to);
}
