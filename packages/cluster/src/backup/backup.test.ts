import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger, systemClock } from "@skiff/base";
import { openLmdbStore, prefixRange } from "@skiff/store";
import { killedAfter } from "../fixtures/killed-after.ts";
import { systemMachine } from "../lifecycle/machine.ts";
import { ensurePki } from "../pki/pki.ts";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { ClusterError, type ClusterSettings, readSettings, writeSettings } from "../settings/settings.ts";
import { backupCluster, restoreCluster } from "./backup.ts";

const effects = { machine: systemMachine(), clock: systemClock };
const { signal } = new AbortController();
const settings: ClusterSettings = {
  name: "one",
  runtime: "simulated",
  nodeName: "node",
  nodeIp: "127.0.0.1",
  apiPort: 1,
  kubeletPort: 2,
  clusterCidr: "10.42.0.0/16",
  nodeMaskSizes: [24],
  podCidr: "10.42.0.0/24",
  serviceCidr: "10.99.0.0/16",
  nodePorts: [30000, 32767],
  clusterDomain: "cluster.local",
  slot: 3,
};

const openAt = ({ store }: ClusterPaths) => openLmdbStore({ folder: store, clock: systemClock, logger: silentLogger });

/** A cluster that does not run, with some objects in its store. */
async function makeCluster(home: string): Promise<ClusterPaths> {
  const paths = clusterPaths(home, "one");
  await ensurePki(paths.pki, settings, systemClock);
  await writeSettings(paths, settings);
  await using store = await openAt(paths);
  for (let index = 0; index < 100; index++) {
    const operations = [{ kind: "put", key: `/registry/x/${index % 60}`, value: Buffer.from(`${index}`) }] as const;
    await store.commit({ compare: [], operations });
  }
  await mkdir(paths.run);
  return paths;
}

async function inHome(run: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "skiff-backup-"));
  try {
    await run(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function content(paths: ClusterPaths): Promise<unknown> {
  await using store = await openAt(paths);
  const { entries, revision } = await store.range(prefixRange(""));
  return [revision, entries.map(({ key, value, modRevision }) => [key, Buffer.from(value).toString(), modRevision])];
}

it("a cluster is made anew of its backup, with its authorities, where there was none", () =>
  inHome(async (home) => {
    const paths = await makeCluster(home);
    const file = join(home, "backup.tar");
    await backupCluster({ home, name: "one" }, file, effects, signal);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const restored = await restoreCluster({ home: join(home, "new"), name: "two" }, file, effects);
    assert.deepEqual(restored, { revision: 101, objects: 60 });
    const made = clusterPaths(join(home, "new"), "two");
    assert.deepEqual(await content(made), await content(paths));
    assert.deepEqual(await readSettings(made), { ...settings, name: "two" });
    for (const name of ["ca.key", "front-proxy-ca.crt", "sa.key"]) {
      assert.equal(await readFile(join(made.pki, name), "utf8"), await readFile(join(paths.pki, name), "utf8"));
    }
    const pki = await ensurePki(made.pki, settings, systemClock);
    assert.equal(pki.authority, await readFile(join(paths.pki, "ca.crt"), "utf8"));
  }));

/** A cluster that was written to after its backup: what its store held then, and holds now. */
async function changedSince(home: string) {
  const paths = await makeCluster(home);
  const file = join(home, "backup.tar");
  await backupCluster({ home, name: "one" }, file, effects, signal);
  const before = await content(paths);
  {
    await using store = await openAt(paths);
    await store.commit({ compare: [], operations: [{ kind: "delete", key: "/registry/x/1" }] });
  }
  const later = await content(paths);
  return { paths, file, before, later };
}

it("takes the place of what there is, which stays beside it", () =>
  inHome(async (home) => {
    const { paths, file, before, later } = await changedSince(home);
    await restoreCluster({ home, name: "one" }, file, effects);
    assert.deepEqual(await content(paths), before);
    assert.deepEqual(await content({ ...paths, store: `${paths.store}.replaced` }), later);
    for (const folder of [paths.root, paths.run]) {
      const left = (await readdir(folder)).filter((name) => /^(?:restore|snapshot)-/.test(name));
      assert.deepEqual(left, []);
    }
  }));

it("keeps the store that was there when it is cut off and repeated", () =>
  inHome(async (home) => {
    const { paths, file, before, later } = await changedSince(home);
    for (let count = 0, killed = true; killed; count++) {
      assert.ok(count < 100);
      const again = join(home, `again-${count}`);
      const made = clusterPaths(again, "one");
      await cp(paths.root, made.root, { recursive: true });
      killed = await killedAfter(count, () => restoreCluster({ home: again, name: "one" }, file, effects));
      // Where all of it had come to its place, what is beside it now is what came then.
      const isPlaced = existsSync(made.store) && existsSync(`${made.store}.replaced`);
      await restoreCluster({ home: again, name: "one" }, file, effects);
      assert.deepEqual(await content(made), before, `${count}`);
      const kept = await content({ ...made, store: `${made.store}.replaced` });
      assert.deepEqual(kept, isPlaced ? before : later, `${count}`);
    }
  }));

it("changes nothing for a file that is damaged, or while a server runs", () =>
  inHome(async (home) => {
    const paths = await makeCluster(home);
    const target = { home, name: "one" };
    const file = join(home, "backup.tar");
    await backupCluster(target, file, effects, signal);
    const before = await content(paths);
    const whole = await readFile(file);
    const at = whole.indexOf("BEGIN CERTIFICATE");
    const cases: readonly (readonly [string, () => Promise<void>])[] = [
      ["cut short", () => truncate(file, whole.length >> 1)],
      ["not a tar file", () => writeFile(file, "nothing".repeat(1000))],
      [
        "one letter changed",
        async () => {
          await using handle = await open(file, "r+");
          await handle.write(Buffer.from("Q"), 0, 1, at + 30);
        },
      ],
    ];
    for (const [name, damage] of cases) {
      await writeFile(file, whole);
      await damage();
      const isDamaged = (error: unknown) => error instanceof ClusterError && error.code === "BACKUP_DAMAGED";
      await assert.rejects(restoreCluster(target, file, effects), isDamaged, name);
      assert.deepEqual(await content(paths), before, name);
    }
    await writeFile(file, whole);
    {
      await using _running = await openAt(paths);
      const isRunning = (error: unknown) => error instanceof ClusterError && error.code === "RUNNING";
      await assert.rejects(restoreCluster(target, file, effects), isRunning);
      await assert.rejects(backupCluster(target, join(home, "other.tar"), effects, signal), isRunning);
    }
    assert.deepEqual(await content(paths), before);
  }));
