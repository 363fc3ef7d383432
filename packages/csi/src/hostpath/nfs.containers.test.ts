/** Shared volumes behind a real NFS server, used by a client of its own: no kernel takes part. */
import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@skiff/base";
import { findProgram, nfsAddress, prepareNfsServer, systemMounts, systemProcesses } from "@skiff/host";
import { controllerService, nodeService } from "../services.ts";
import { DriverFixture, writer } from "./fixture.ts";

const { signal } = new AbortController();
const parameters = { shared: "true" };

/** Below the ports that the kernel gives to whoever connects: nobody takes it before the server does, nor while that restarts. */
const port = 20_000 + (process.pid % 10_000);

async function startServer(folder: string) {
  const command = await findProgram("ganesha.nfsd");
  assert(command !== undefined, "nfs-ganesha is not installed");
  const args = await prepareNfsServer({ root: join(folder, "root"), folder: join(folder, "nfs"), port });
  const server = await systemProcesses.start(command, { args, log: { kind: "file", path: join(folder, "nfs.log") } });
  return {
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.exit;
    },
  };
}

test("shared volumes are served by NFS, each by its name, and go on after a restart of the server", async () => {
  await using driver = await DriverFixture.start(undefined);
  const { client, folder } = driver;
  const url = (path: string) => `nfs://${nfsAddress}/shared/${path}?version=4&nfsport=${port}`;
  const nfs = (program: string, ...args: readonly string[]) => systemProcesses.run(program, { args }, signal);
  const answers = async () => {
    while ((await nfs("nfs-ls", url(""))).code !== 0) await systemClock.sleep(100, signal);
  };
  const given = join(folder, "given");
  await writeFile(given, "from a client");
  {
    await using _ = await startServer(folder);
    await driver.create("pvc-1", { parameters });
    await driver.create("plain");
    await answers();
    assert.match((await nfs("nfs-ls", url(""))).stdout, /^d.* pvc-1\n$/);
    assert.equal((await nfs("nfs-cp", given, url("pvc-1/file"))).code, 0);
    // What a client writes lies in the volume, and the other way round.
    const data = join(folder, "root/shared/pvc-1");
    assert.equal(await readFile(join(data, "file"), "utf8"), "from a client");
    await writeFile(join(data, "other"), "from the node");
    assert.equal((await nfs("nfs-cp", url("pvc-1/other"), join(folder, "got"))).code, 0);
    assert.equal(await readFile(join(folder, "got"), "utf8"), "from the node");
    assert.notEqual((await nfs("nfs-ls", url("../volumes/plain"))).code, 0);
  }
  await using _ = await startServer(folder);
  await answers();
  assert.equal((await nfs("nfs-cp", url("pvc-1/file"), join(folder, "again"))).code, 0);
  assert.equal(await readFile(join(folder, "again"), "utf8"), "from a client");
  await driver.create("pvc-2", { parameters });
  assert.equal((await nfs("nfs-cp", given, url("pvc-2/file"))).code, 0);
  for (const volumeId of ["pvc-1", "pvc-2"]) await client.call(controllerService.deleteVolume, { volumeId }, signal);
  assert.equal((await nfs("nfs-ls", url(""))).stdout, "");
});

test("the node mounts shared volumes from the server where there is one, and shows the folder where there is none", async () => {
  const mounted: object[] = [];
  const mounts = { ...systemMounts(), mount: async (mount: object) => void mounted.push(mount) };
  await using driver = await DriverFixture.start(mounts, 2049);
  const { client, folder } = driver;
  await driver.create("pvc-1", { parameters });
  const use = { volumeId: "pvc-1", targetPath: join(folder, "pod/mount"), volumeCapability: writer };
  await client.call(nodeService.nodePublishVolume, { ...use, readonly: true }, signal);
  const options = ["port=2049", "vers=4.2", "soft", "timeo=100", "retrans=3", "retry=0", "ro"];
  assert.deepEqual(mounted, [
    { source: "127.0.0.1:/shared/pvc-1", target: use.targetPath, fileSystem: "nfs4", options },
  ]);

  await using other = await DriverFixture.start(systemMounts());
  await other.create("pvc-1", { parameters });
  const targetPath = join(other.folder, "pod/mount");
  await other.client.call(nodeService.nodePublishVolume, { ...use, targetPath }, signal);
  await writeFile(join(targetPath, "file"), "kept");
  const data = join(other.folder, "root/shared/pvc-1");
  assert.equal(await readFile(join(data, "file"), "utf8"), "kept");
  assert.equal((await stat(data)).mode & 0o777, 0o777);
  const volume = { volume: { volumeId: "pvc-1" } };
  await other.create("copy", { parameters, volumeContentSource: volume });
  const take = { name: "snapshot-1", sourceVolumeId: "pvc-1" };
  await other.client.call(controllerService.createSnapshot, take, signal);
  await writeFile(join(targetPath, "file"), "changed");
  const snapshot = { snapshot: { snapshotId: "snapshot-1" } };
  await other.create("restored", { parameters, volumeContentSource: snapshot });
  for (const name of ["copy", "restored"])
    assert.equal(await readFile(join(other.folder, "root/shared", name, "file"), "utf8"), "kept");
  await other.client.call(nodeService.nodeUnpublishVolume, { volumeId: "pvc-1", targetPath }, signal);
  for (const volumeId of ["pvc-1", "copy", "restored"])
    await other.client.call(controllerService.deleteVolume, { volumeId }, signal);
  assert.deepEqual(await readdir(join(other.folder, "root/shared")), []);
});
