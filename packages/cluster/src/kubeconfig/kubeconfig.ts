import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readFile, realpath } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isJsonObject, type JsonObject, type JsonValue, systemClock } from "@skiff/base";
import { type FileLock, LockHeld, lockFile, writeFileAtomic } from "@skiff/host";
import { ClusterError } from "../settings/settings.ts";

/** How to reach a cluster as its administrator. */
export interface Access {
  /** Name of the context, cluster and user entries: `skiff` or `skiff-NAME`. */
  readonly context: string;
  readonly server: string;
  /** PEM. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** The context's name for a cluster: `skiff` for the default one. */
export const contextName = (cluster: string): string => (cluster === "default" ? "skiff" : `skiff-${cluster}`);

/** The file that kubectl writes to: the first of `KUBECONFIG`, or `~/.kube/config`. */
export function userKubeconfigPath(environment: Readonly<Record<string, string | undefined>>): string {
  const [first] = (environment.KUBECONFIG ?? "").split(":").filter((path) => path !== "");
  return first ?? join(homedir(), ".kube", "config");
}

/** Loaded when first needed: it takes longer than most commands. */
const yaml = () => import("./yaml.ts");

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A whole kubeconfig that holds just this cluster, as YAML. */
export async function kubeconfigText(access: Access): Promise<string> {
  return (await yaml()).stringify(
    withAccess({ apiVersion: "v1", kind: "Config", preferences: {} }, access, { makeCurrent: true }),
  );
}

/** Puts the cluster's entries into a kubeconfig, in place of older ones of the same name; others stay as they are. */
export function withAccess(config: JsonObject, access: Access, options: { readonly makeCurrent: boolean }): JsonObject {
  const { context } = access;
  const put = (list: JsonValue | undefined, entry: JsonObject): JsonValue[] => [...without(list, context), entry];
  return {
    ...config,
    clusters: put(config.clusters, {
      name: context,
      cluster: { "certificate-authority-data": base64(access.authority), server: access.server },
    }),
    users: put(config.users, {
      name: context,
      user: { "client-certificate-data": base64(access.certificate), "client-key-data": base64(access.key) },
    }),
    contexts: put(config.contexts, { name: context, context: { cluster: context, user: context } }),
    ...(options.makeCurrent ? { "current-context": context } : {}),
  };
}

/** Takes the cluster's entries out again. */
export function withoutAccess(config: JsonObject, context: string): JsonObject {
  const current = config["current-context"] === context ? { "current-context": "" } : {};
  return {
    ...config,
    clusters: without(config.clusters, context),
    users: without(config.users, context),
    contexts: without(config.contexts, context),
    ...current,
  };
}

function without(list: JsonValue | undefined, name: string): JsonValue[] {
  return Array.isArray(list) ? list.filter((entry) => !(isJsonObject(entry) && entry.name === name)) : [];
}

/** Merges the cluster into the file at `path`, atomically, mode 0600, and makes it the current context. */
export async function mergeKubeconfig(path: string, access: Access): Promise<void> {
  await using _lock = await lockKubeconfig(path);
  const config = (await readKubeconfig(path)) ?? { apiVersion: "v1", kind: "Config", preferences: {} };
  await writeKubeconfig(path, withAccess(config, access, { makeCurrent: true }));
}

/** Removes the cluster from the file at `path`. Gives false when it had no such entries. */
export async function removeFromKubeconfig(path: string, context: string): Promise<boolean> {
  if ((await readKubeconfig(path)) === undefined) return false;
  await using _lock = await lockKubeconfig(path);
  const config = await readKubeconfig(path);
  if (config === undefined) return false;
  const lists = [config.clusters, config.users, config.contexts];
  const named = lists.some((list) => Array.isArray(list) && without(list, context).length < list.length);
  if (!named) return false;
  await writeKubeconfig(path, withoutAccess(config, context));
  return true;
}

/**
 * Clusters that start at the same moment change the file one after the other: none loses what another has just written. Whoever
 * is killed leaves the lock's file behind, so it lies among temporary files, not beside the user's own.
 */
async function lockKubeconfig(path: string): Promise<FileLock> {
  const hash = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);
  const lock = join(tmpdir(), `skiff-kubeconfig-${process.getuid?.() ?? 0}-${hash}.lock`);
  const never = new AbortController().signal;
  for (;;) {
    try {
      return await lockFile(lock, { passing: true });
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error;
      await systemClock.sleep(10, never);
    }
  }
}

async function readKubeconfig(path: string): Promise<JsonObject | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined || text.trim() === "") return undefined;
  const unusable = (cause?: unknown) =>
    new ClusterError("KUBECONFIG_UNUSABLE", `${path} is not a kubeconfig; use --kubeconfig FILE for another place`, {
      cause,
    });
  let config: unknown;
  try {
    config = (await yaml()).parse(text);
  } catch (error) {
    throw unusable(error);
  }
  if (!isJsonObject(config)) throw unusable();
  return config;
}

async function writeKubeconfig(path: string, config: JsonObject): Promise<void> {
  // A link is followed, so that a kubeconfig kept elsewhere stays there.
  const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
  const target = isLink ? await realpath(path) : path;
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await writeFileAtomic(target, (await yaml()).stringify(config), { mode: 0o600 });
  await chmod(target, 0o600);
}
