import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { VirtualClock } from "@skiff/base";
import { systemProcesses } from "@skiff/host";
import { StrayRemains } from "./stray-remains.ts";

const { signal } = new AbortController();

it("takes away what no sandbox owns, after a while, and nothing that is being made", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "skiff-strays-"));
  try {
    const netns = join(stateDirectory, "state/io.containerd.grpc.v1.cri/netns");
    const bundle = join(stateDirectory, "state/io.containerd.runtime.v2.task/k8s.io/owner");
    const addresses = join(stateDirectory, "cni-addresses/net");
    for (const folder of [netns, bundle, addresses]) await mkdir(folder, { recursive: true });
    for (const name of ["cni-used", "cni-stray"]) await writeFile(join(netns, name), "");
    await writeFile(join(bundle, "config.json"), JSON.stringify({ path: join(netns, "cni-used") }));
    await writeFile(join(addresses, "10.0.0.2"), "owner\r\neth0");
    await writeFile(join(addresses, "10.0.0.3"), "nobody\r\neth0");
    await writeFile(join(addresses, "10.0.0.4"), "");
    for (const id of ["owner", "nobody"]) await writeFile(join(addresses, `ports.${id}`), "{}");
    await writeFile(join(addresses, "last_reserved_ip.0"), "10.0.0.3");
    const removed = join(bundle, "../.removed");
    const work = join(stateDirectory, "work/.removed");
    for (const folder of [removed, work]) await mkdir(folder, { recursive: true });
    await symlink(work, join(removed, "work"));
    const clock = new VirtualClock();
    const strays = new StrayRemains({ stateDirectory, processes: systemProcesses, clock });
    const ids = new Set(["owner"]);
    const sweep = (begunMs?: number) => strays.sweep({ ids, begunMs }, signal);
    assert.deepEqual(await sweep(), []);
    await clock.advance(30_000);
    assert.deepEqual(await sweep(), []);
    await clock.advance(30_000);
    // A sandbox has been under way since before they were first seen: they may be its.
    assert.deepEqual(await sweep(0), []);
    const given = ["10.0.0.3", "10.0.0.4", "ports.nobody"].map((address) => join(addresses, address));
    assert.deepEqual((await sweep(50_000)).toSorted(), [join(netns, "cni-stray"), removed, ...given].toSorted());
    assert.deepEqual([await readdir(join(bundle, "..")), await readdir(join(work, ".."))], [["owner"], []]);
    assert.deepEqual(await readdir(netns), ["cni-used"]);
    assert.deepEqual((await readdir(addresses)).sort(), ["10.0.0.2", "last_reserved_ip.0", "ports.owner"]);
    assert.deepEqual(await sweep(), []);
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
});
