import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Pod, Volume } from "@skiff/api";
import { systemClock, VirtualClock } from "@skiff/base";
import { createClient } from "@skiff/client";
import { MemoryApi } from "../fixtures/memory-api.ts";
import { containerOf, podOf } from "../fixtures/objects.ts";
import { PodFolders } from "../pods/folders.ts";
import { PodVolumes } from "./pod-volumes.ts";
import { VolumeFailure, type VolumePlugin, type VolumeRemains } from "./volume-plugin.ts";
import { VolumeUsage } from "./volume-stats.ts";

const { signal } = new AbortController();

async function start(plugins: readonly VolumePlugin[]) {
  const root = await mkdtemp(join(tmpdir(), "skiff-volumes-"));
  const folders = new PodFolders({ rootFolder: root, logFolder: root });
  const api = new MemoryApi(systemClock);
  const messages: string[] = [];
  const make = () =>
    new PodVolumes({
      folders,
      mounts: undefined,
      plugins,
      client: createClient(api),
      recorder: { record: (_, __, { message }) => messages.push(message) },
      clock: systemClock,
      onGone: () => {},
    });
  return { root, folders, api, messages, make, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

const podWith = (volume: Volume, more: Partial<Pod["spec"]> = {}): Pod =>
  podOf({
    containers: [containerOf("main", { volumeMounts: [{ name: volume.name, mountPath: "/v" }] })],
    volumes: [volume],
    ...more,
  });

/** A plugin that makes a folder with a file, and remembers what it was asked to take away. */
function folderPlugin(fails?: () => Error | undefined) {
  const removed: VolumeRemains[] = [];
  let calls = 0;
  const plugin: VolumePlugin = {
    name: "example.com/folder",
    supports: ({ volume, claimed }) => volume.emptyDir !== undefined || claimed !== undefined,
    async setUp({ folder }) {
      calls++;
      const error = fails?.();
      if (error !== undefined) throw error;
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "f"), "x", { mode: 0o600 });
      return { kind: "files", path: folder, readonly: false, fsGroup: "byPolicy", usage: "files" };
    },
    async tearDown(remains) {
      removed.push(remains);
    },
    uniqueName: (spec) => `example.com/folder^${spec.name}`,
  };
  return { plugin, removed, calls: () => calls };
}

describe("the volumes of pods", () => {
  it("are set up once, and taken away by an agent that knows nothing of them", async () => {
    const { plugin, removed, calls } = folderPlugin();
    await using test = await start([plugin]);
    const pod = podWith({ name: "v", emptyDir: {} });
    const first = test.make();
    assert.deepEqual((await first.setUp(pod, signal)).missing, []);
    await first.setUp(pod, signal);
    assert.equal(calls(), 1);
    const folder = join(test.root, "pods/u1/volumes/example.com~folder/v");
    const mounted = first.find("u1", "v")?.mounted;
    assert.deepEqual(mounted?.kind === "files" && mounted.path, folder);
    assert.deepEqual(first.inUse(), ["example.com/folder^v"]);
    const second = test.make();
    assert.deepEqual(await second.remains(), ["u1"]);
    await second.removePod("u1", signal);
    assert.deepEqual(removed, [{ podUid: "u1", name: "v", folder, mode: "Filesystem" }]);
    assert.deepEqual(await second.remains(), []);
  });

  it("are left alone where no container uses them", async () => {
    const { plugin, calls } = folderPlugin();
    await using test = await start([plugin]);
    await test.make().setUp(podOf({ volumes: [{ name: "v", emptyDir: {} }] }), signal);
    assert.equal(calls(), 0);
  });

  it("say why they are not there", async () => {
    const { plugin } = folderPlugin(() => new VolumeFailure("no disk", { operation: "MountVolume.MountDevice" }));
    await using test = await start([plugin]);
    const result = await test.make().setUp(podWith({ name: "v", emptyDir: {} }), signal);
    assert.deepEqual([result.missing, result.failed], [["v"], true]);
    assert.deepEqual(test.messages, ['MountVolume.MountDevice failed for volume "v" : no disk']);
    const other = await test.make().setUp(podWith({ name: "q", glusterfs: { endpoints: "e", path: "p" } }), signal);
    assert.deepEqual(
      [...other.unresolved.values()],
      ['failed to get Plugin from volumeSpec for volume "q" err=no volume plugin matched'],
    );
  });

  it("follow claims to their PersistentVolumes", async () => {
    const { plugin } = folderPlugin();
    await using test = await start([plugin]);
    const volumes = test.make();
    const pod = podWith({ name: "v", persistentVolumeClaim: { claimName: "c", readOnly: true } });
    const why = async () => [...(await volumes.setUp(pod, signal)).unresolved.values()][0] ?? "";
    assert.match(await why(), /^error processing PVC default\/c: failed to fetch PVC from API server: .*not found/);
    const claim = { metadata: { name: "c", namespace: "default", uid: "c1" }, spec: {} };
    test.api.put("persistentvolumeclaims", { ...claim, status: { phase: "Pending" } });
    assert.equal(await why(), "error processing PVC default/c: PVC is not bound");
    test.api.put("persistentvolumeclaims", { ...claim, spec: { volumeName: "pv" }, status: { phase: "Bound" } });
    assert.match(await why(), /failed to fetch PV pv from API server/);
    const bind = (uid: string, spec: object = {}) =>
      test.api.put("persistentvolumes", { metadata: { name: "pv" }, spec: { claimRef: { uid }, ...spec } });
    bind("c0");
    assert.match(await why(), /found PV object pv but its pv.Spec.ClaimRef.UID c0 does not point to claim.UID c1/);
    bind("c1", { volumeMode: "Block" });
    assert.match(await why(), /volume v has volumeMode Block, but is specified in volumeMounts/);
    bind("c1");
    assert.equal(await why(), "");
    const found = volumes.find("u1", "v");
    assert.deepEqual([found?.spec.name, found?.spec.readonly], ["pv", true]);
  });

  it("made for one pod are not another's", async () => {
    const { plugin } = folderPlugin();
    await using test = await start([plugin]);
    test.api.put("persistentvolumeclaims", {
      metadata: { name: "web-v", namespace: "default" },
      spec: { volumeName: "pv" },
      status: { phase: "Bound" },
    });
    const template = { volumeClaimTemplate: { spec: {} } };
    const result = await test.make().setUp(podWith({ name: "v", ephemeral: template }), signal);
    assert.match(
      result.unresolved.get("v") ?? "",
      /PVC default\/web-v was not created for pod default\/web \(pod is not owner\)/,
    );
  });

  const skip = process.getuid?.() !== 0 && "only root gives files away";
  it("are given to the pod's group, whatever links lie in them", { skip }, async () => {
    const outside = await mkdtemp(join(tmpdir(), "skiff-outside-"));
    await writeFile(join(outside, "secret"), "", { mode: 0o600 });
    const { plugin } = folderPlugin();
    await using test = await start([plugin]);
    const folder = join(test.root, "pods/u1/volumes/example.com~folder/v");
    await mkdir(join(folder, "d"), { recursive: true, mode: 0o700 });
    await symlink(outside, join(folder, "d/out"));
    await test.make().setUp(podWith({ name: "v", emptyDir: {} }, { securityContext: { fsGroup: 4321 } }), signal);
    const [root, below, file] = await Promise.all(
      [folder, join(folder, "d"), join(folder, "f")].map((one) => stat(one)),
    );
    assert.deepEqual([root?.gid, below?.gid, file?.gid], [4321, 4321, 4321]);
    assert.deepEqual([(below?.mode ?? 0) & 0o7777, (file?.mode ?? 0) & 0o7777], [0o2770, 0o660]);
    const untouched = await stat(join(outside, "secret"));
    assert.deepEqual([untouched.gid, untouched.mode & 0o777], [0, 0o600]);
    assert.equal(await readFile(join(outside, "secret"), "utf8"), "");
    await rm(outside, { recursive: true });
  });

  it("refuse uids that are paths", async () => {
    await using test = await start([]);
    for (const uid of ["", "..", "../x", "a/b"]) await assert.rejects(test.make().removePod(uid, signal), /is no uid/);
  });
});

describe("the usage of volumes", () => {
  it("is that of their files, measured once a minute", async () => {
    const { plugin } = folderPlugin();
    await using test = await start([plugin]);
    const volumes = test.make();
    await volumes.setUp(podWith({ name: "v", emptyDir: {} }), signal);
    const clock = new VirtualClock();
    const usage = new VolumeUsage({ volumes, clock });
    const used = async () => (await usage.of("u1", signal)).map((one) => ({ name: one.name, bytes: one.usedBytes }));
    const before = await used();
    assert.deepEqual(
      before.map(({ name }) => name),
      ["v"],
    );
    const folder = join(test.root, "pods/u1/volumes/example.com~folder/v");
    await writeFile(join(folder, "big"), Buffer.alloc(1 << 20));
    assert.deepEqual(await used(), before);
    await clock.advance(61_000);
    assert.ok(((await used())[0]?.bytes ?? 0) >= (before[0]?.bytes ?? 0) + (1 << 20));
  });
});
