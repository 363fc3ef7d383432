import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@skiff/base";
import { GrpcStatus } from "@skiff/grpc";
import { CsiClient } from "../csi-client.ts";
import { accessMode, controllerService, identityService, nodeService, registrationService } from "../services.ts";
import { hostpathTopologyKey } from "./driver.ts";
import { DriverFixture, writer } from "./fixture.ts";

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof GrpcStatus, "it is done");
  return error.message;
};

test("the driver says who it is, on both sockets", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal, folder } = driver;
  assert.equal((await client.call(identityService.getPluginInfo, {}, signal)).name, "hostpath.csi.skiff.dev");
  assert.equal((await client.call(identityService.probe, {}, signal)).ready?.value, true);
  const info = await client.call(nodeService.nodeGetInfo, {}, signal);
  assert.deepEqual(info.accessibleTopology?.segments, { "topology.hostpath.csi.skiff.dev/node": "node-1" });
  using registration = new CsiClient(join(folder, "reg.sock"), systemClock);
  const registered = await registration.call(registrationService.getInfo, {}, signal);
  assert.deepEqual([registered.type, registered.endpoint], ["CSIPlugin", driver.socket]);
  const unknown = { ...identityService.probe, path: "/csi.v1.Identity/Nothing" };
  assert.match(await refusal(client.call(unknown, {}, signal)), /code = Unimplemented desc = unknown method/);
});

test("a volume is made once, shown to pods, copied, and really deleted", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal, folder } = driver;
  const made = await driver.create("pvc-1");
  assert.equal(made.volume?.capacityBytes, 16 * 1024 ** 2);
  assert.deepEqual(await driver.create("pvc-1"), made);
  const larger = driver.create("pvc-1", { capacityRange: { requiredBytes: 1024 ** 3 } });
  assert.match(await refusal(larger), /^rpc error: code = AlreadyExists desc = /);

  const target = join(folder, "pod", "mount");
  const use = { volumeId: "pvc-1", targetPath: target, volumeCapability: writer };
  await client.call(nodeService.nodePublishVolume, use, signal);
  await client.call(nodeService.nodePublishVolume, use, signal);
  await writeFile(join(target, "file"), "kept");
  assert.equal((await stat(join(folder, "root", "volumes", "pvc-1", "data"))).mode & 0o777, 0o777);

  const volume = { volume: { volumeId: "pvc-1" } };
  await driver.create("clone", { volumeContentSource: volume });
  const small = { volumeContentSource: volume, capacityRange: { requiredBytes: 1 } };
  assert.match(await refusal(driver.create("small", small)), /OutOfRange/);
  const take = { name: "snapshot-1", sourceVolumeId: "pvc-1" };
  const taken = await client.call(controllerService.createSnapshot, take, signal);
  assert.equal(taken.snapshot?.readyToUse, true);
  assert.deepEqual(await client.call(controllerService.createSnapshot, take, signal), taken);
  await writeFile(join(target, "file"), "changed");
  await driver.create("restored", { volumeContentSource: { snapshot: { snapshotId: "snapshot-1" } } });
  for (const name of ["clone", "restored"]) {
    assert.equal(await readFile(join(folder, "root", "volumes", name, "data", "file"), "utf8"), "kept");
  }
  const { entries } = await client.call(controllerService.listSnapshots, { sourceVolumeId: "pvc-1" }, signal);
  assert.deepEqual(
    entries.map(({ snapshot }) => snapshot?.snapshotId),
    ["snapshot-1"],
  );

  await client.call(nodeService.nodeUnpublishVolume, { volumeId: "pvc-1", targetPath: target }, signal);
  assert.deepEqual(await readdir(join(folder, "pod")), []);
  for (const volumeId of ["pvc-1", "pvc-1", "clone", "restored"]) {
    await client.call(controllerService.deleteVolume, { volumeId }, signal);
  }
  await client.call(controllerService.deleteSnapshot, { snapshotId: "snapshot-1" }, signal);
  assert.deepEqual(await readdir(join(folder, "root", "volumes")), []);
  assert.deepEqual(await readdir(join(folder, "root", "snapshots")), []);
});

test("volumes are made on this node, or not at all", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal } = driver;
  const place = (node: string) => ({ segments: { [hostpathTopologyKey]: node } });
  const room = async (node: string) =>
    (await client.call(controllerService.getCapacity, { accessibleTopology: place(node) }, signal)).availableCapacity;
  assert.ok((await room("node-1")) > 0);
  assert.equal(await room("node-2"), 0);
  const on = (...nodes: readonly string[]) =>
    driver.create("pvc-1", { accessibilityRequirements: { requisite: nodes.map(place) } });
  assert.match(await refusal(on("node-2")), /^rpc error: code = ResourceExhausted desc = /);
  const made = await on("node-2", "node-1");
  assert.deepEqual(
    made.volume?.accessibleTopology.map(({ segments }) => segments),
    [place("node-1").segments],
  );
});

test("the driver says what a volume can be used as", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal } = driver;
  await driver.create("pvc-1");
  const ask = (volumeCapabilities: readonly object[], volumeId = "pvc-1") =>
    client.call(controllerService.validateVolumeCapabilities, { volumeId, volumeCapabilities }, signal);
  assert.equal((await ask([writer])).confirmed?.volumeCapabilities.length, 1);
  const device = { ...writer, mount: undefined, block: {} };
  assert.deepEqual(await ask([device]), { confirmed: undefined, message: "the volume is a file system" });
  assert.match(await refusal(ask([])), /InvalidArgument/);
  assert.match(await refusal(ask([writer], "none")), /NotFound/);
});

test("a volume for one pod alone is not given to another", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal, folder } = driver;
  await driver.create("pvc-1");
  const alone = { mount: {}, accessMode: { mode: accessMode.singleNodeSingleWriter } };
  const at = (name: string) => ({ volumeId: "pvc-1", targetPath: join(folder, name), volumeCapability: alone });
  await client.call(nodeService.nodePublishVolume, at("a"), signal);
  await client.call(nodeService.nodePublishVolume, at("a"), signal);
  assert.match(await refusal(client.call(nodeService.nodePublishVolume, at("b"), signal)), /FailedPrecondition/);
  await client.call(nodeService.nodeUnpublishVolume, at("a"), signal);
  await client.call(nodeService.nodePublishVolume, at("b"), signal);
});

test("what a request must say is asked for, and lists of snapshots come in parts", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal } = driver;
  const nothing = [
    client.call(controllerService.deleteVolume, {}, signal),
    client.call(controllerService.createSnapshot, { name: "s" }, signal),
    client.call(controllerService.deleteSnapshot, {}, signal),
    client.call(controllerService.controllerExpandVolume, { volumeId: "pvc-1" }, signal),
    client.call(nodeService.nodeStageVolume, { volumeId: "pvc-1", volumeCapability: writer }, signal),
    client.call(nodeService.nodePublishVolume, { volumeId: "pvc-1", targetPath: "/x" }, signal),
    client.call(nodeService.nodeUnpublishVolume, { volumeId: "pvc-1" }, signal),
    client.call(nodeService.nodeGetVolumeStats, { volumeId: "pvc-1" }, signal),
    client.call(nodeService.nodeExpandVolume, { volumeId: "pvc-1" }, signal),
  ];
  for (const call of nothing) assert.match(await refusal(call), /InvalidArgument desc = \w+ missing in request/);
  await driver.create("pvc-1");
  const names = ["a", "b", "c"];
  for (const name of names) {
    await client.call(controllerService.createSnapshot, { name, sourceVolumeId: "pvc-1" }, signal);
  }
  const list = (maxEntries: number, startingToken: string) =>
    client.call(controllerService.listSnapshots, { maxEntries, startingToken }, signal);
  const first = await list(2, "");
  const rest = await list(2, first.nextToken);
  const found = [...first.entries, ...rest.entries].map(({ snapshot }) => snapshot?.snapshotId);
  assert.deepEqual([found, first.entries.length, rest.nextToken], [names, 2, ""]);
  assert.match(await refusal(list(0, "none")), /Aborted/);
});

test("names never lead out of the driver's folder", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, signal, folder } = driver;
  await writeFile(join(folder, "precious"), "");
  for (const volumeId of ["../../precious", "..", "/etc", "a/../..", ""]) {
    await client.call(controllerService.deleteVolume, { volumeId }, signal).catch((error: unknown) => {
      if (volumeId !== "") throw error;
    });
    assert.match(await refusal(driver.create(volumeId)), /NotFound|InvalidArgument/);
  }
  assert((await readdir(folder)).includes("precious"));
});
