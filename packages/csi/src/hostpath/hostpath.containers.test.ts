import assert from "node:assert/strict";
import { stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcStatus } from "@skiff/grpc";
import { systemMounts, systemProcesses } from "@skiff/host";
import { accessMode, controllerService, nodeService } from "../services.ts";
import { DriverFixture, writer } from "./fixture.ts";

test("a volume with a size of its own is full when it is full, and grows while it is used", async () => {
  await using driver = await DriverFixture.start(systemMounts());
  const { client, signal, folder } = driver;
  const parameters = { enforceSize: "true" };
  await driver.create("sized", { parameters });
  const staging = { volumeId: "sized", stagingTargetPath: join(folder, "staging"), volumeCapability: writer };
  await client.call(nodeService.nodeStageVolume, staging, signal);
  await client.call(nodeService.nodeStageVolume, staging, signal);
  const targetPath = join(folder, "target");
  await client.call(nodeService.nodePublishVolume, { ...staging, targetPath }, signal);
  const large = Buffer.alloc(24 * 1024 ** 2, "x");
  await assert.rejects(writeFile(join(targetPath, "large"), large), /ENOSPC/);
  const capacityRange = { requiredBytes: 64 * 1024 ** 2 };
  const grown = await client.call(
    controllerService.controllerExpandVolume,
    { volumeId: "sized", capacityRange },
    signal,
  );
  assert.deepEqual(grown, { capacityBytes: 64 * 1024 ** 2, nodeExpansionRequired: true });
  const expand = () => client.call(nodeService.nodeExpandVolume, { volumeId: "sized", volumePath: targetPath }, signal);
  await expand().catch(async (error: unknown) => {
    // Not every root may grow what is mounted.
    assert(error instanceof GrpcStatus && error.code === "FAILED_PRECONDITION");
    await client.call(nodeService.nodeUnpublishVolume, { volumeId: "sized", targetPath }, signal);
    await client.call(nodeService.nodeUnstageVolume, staging, signal);
    await client.call(nodeService.nodeStageVolume, staging, signal);
    await client.call(nodeService.nodePublishVolume, { ...staging, targetPath }, signal);
    await expand();
  });
  await writeFile(join(targetPath, "large"), large);
  await driver.create("copy", { parameters, capacityRange, volumeContentSource: { volume: { volumeId: "sized" } } });
  await client.call(nodeService.nodeUnpublishVolume, { volumeId: "sized", targetPath }, signal);
  const copy = { ...staging, volumeId: "copy", stagingTargetPath: join(folder, "copy") };
  await client.call(nodeService.nodeStageVolume, copy, signal);
  assert.equal((await stat(join(folder, "copy", "large"))).size, large.length);
  const { blocks, bsize } = await statfs(join(folder, "copy"));
  assert(blocks * bsize > 40 * 1024 ** 2);
  for (const one of [staging, copy]) await client.call(nodeService.nodeUnstageVolume, one, signal);
});

test("a volume is formatted as its class says, and xfs grows while it is mounted", async () => {
  await using driver = await DriverFixture.start(systemMounts());
  const { client, signal, folder } = driver;
  const parameters = { enforceSize: "true" };
  const formatted = (fsType: string) => ({ ...writer, mount: { fsType } });
  const make = (name: string, fsType: string, more: object = {}) =>
    driver.create(name, { parameters, volumeCapabilities: [formatted(fsType)], ...more });
  await assert.rejects(make("fat", "vfat"), /InvalidArgument desc = volumes are formatted as ext4 or xfs, not as vfat/);
  const installed = await systemProcesses.run("mkfs.xfs", { args: ["-V"] }, signal).catch(() => undefined);
  if (installed === undefined) {
    await assert.rejects(make("fast", "xfs"), /InvalidArgument desc = this node has no mkfs.xfs/);
    return;
  }
  const made = await make("fast", "xfs");
  assert.equal(made.volume?.capacityBytes, 300 * 1024 ** 2);
  const source = { volumeContentSource: { volume: { volumeId: "fast" } } };
  await make("copy", "", { ...source, capacityRange: { requiredBytes: 300 * 1024 ** 2 } });
  const placed = (volumeId: string) => ({
    volumeId,
    stagingTargetPath: join(folder, volumeId),
    volumeCapability: writer,
  });
  for (const one of ["fast", "copy"]) await client.call(nodeService.nodeStageVolume, placed(one), signal);
  const kinds = (await systemMounts().list()).filter(({ target }) => target.startsWith(folder));
  assert.deepEqual(
    kinds.map(({ fileSystem }) => fileSystem),
    ["xfs", "xfs"],
  );
  const grow = { volumeId: "fast", capacityRange: { requiredBytes: 600 * 1024 ** 2 } };
  await client.call(controllerService.controllerExpandVolume, grow, signal);
  const volumePath = join(folder, "fast");
  await client.call(nodeService.nodeExpandVolume, { volumeId: "fast", volumePath }, signal);
  const { blocks, bsize } = await statfs(volumePath);
  assert.ok(blocks * bsize > 500 * 1024 ** 2);
  for (const one of ["fast", "copy"]) await client.call(nodeService.nodeUnstageVolume, placed(one), signal);
});

test("a volume gets the attributes of its class, and others later", async () => {
  await using driver = await DriverFixture.start(systemMounts());
  const { client, signal, folder } = driver;
  const flags = async () => {
    const args = ["-d", join(folder, "root/volumes/pvc-1/data")];
    return (await systemProcesses.output("lsattr", { args }, signal)).split(" ")[0];
  };
  await driver.create("pvc-1", { mutableParameters: { syncWrites: "true" } });
  assert.match((await flags()) ?? "", /S/);
  const modify = (mutableParameters: Record<string, string>, volumeId = "pvc-1") =>
    client.call(controllerService.controllerModifyVolume, { volumeId, mutableParameters }, signal);
  await modify({ syncWrites: "false" });
  assert.doesNotMatch((await flags()) ?? "", /S/);
  await assert.rejects(modify({ iops: "1" }), /InvalidArgument desc = invalid mutable parameter iops/);
  await assert.rejects(modify({ syncWrites: "maybe" }), /InvalidArgument/);
  await driver.create("sized", { parameters: { enforceSize: "true" } });
  await assert.rejects(modify({ syncWrites: "true" }, "sized"), /InvalidArgument/);
});

test("a device has the size that was asked for and goes with its last pod", async () => {
  await using driver = await DriverFixture.start(systemMounts());
  const { client, signal, folder } = driver;
  const device = { block: {}, accessMode: { mode: accessMode.singleNodeWriter } };
  await driver.create("raw", { volumeCapabilities: [device] });
  const loops = async () =>
    (await systemProcesses.output("losetup", { args: ["--list", "--output", "BACK-FILE"] }, signal))
      .split("\n")
      .filter((line) => line.startsWith(folder)).length;
  for (const name of ["a", "b"]) {
    const use = { volumeId: "raw", targetPath: join(folder, name), volumeCapability: device };
    await client.call(nodeService.nodePublishVolume, use, signal);
  }
  assert((await stat(join(folder, "a"))).isBlockDevice());
  assert.equal(await loops(), 1);
  await client.call(nodeService.nodeUnpublishVolume, { volumeId: "raw", targetPath: join(folder, "a") }, signal);
  assert.equal(await loops(), 1);
  await client.call(nodeService.nodeUnpublishVolume, { volumeId: "raw", targetPath: join(folder, "b") }, signal);
  assert.equal(await loops(), 0);
});
