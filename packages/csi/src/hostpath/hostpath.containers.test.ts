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
