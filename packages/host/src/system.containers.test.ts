/** The real effects, in folders, groups, tables and links of the test's own. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SystemCgroups } from "./cgroups.ts";
import { systemNetwork } from "./links.ts";
import { systemMounts } from "./mounts.ts";
import { NftablesError, systemNftables } from "./nftables.ts";
import { systemPackages } from "./packages.ts";
import { systemProcesses } from "./processes.ts";
import { systemSysctls } from "./sysctls.ts";

const { signal } = new AbortController();
const name = `skt${process.pid}`;

describe("mounts", () => {
  it("are made, shared, bound and all taken away", async () => {
    const mounts = systemMounts();
    const folder = await mkdtemp(join(tmpdir(), "skiff-mounts-"));
    const [memory, copy] = [join(folder, "memory"), join(folder, "copy")];
    await mkdir(memory);
    await mkdir(copy);
    await mounts.mountTmpfs(memory, { sizeBytes: 1024 * 1024, mode: 0o1777 }, signal);
    assert.equal((await stat(memory)).mode & 0o7777, 0o1777);
    await mounts.makeShared(memory, signal);
    await mounts.bind(memory, copy, { readonly: true, recursive: false }, signal);
    await assert.rejects(writeFile(join(copy, "file"), "x"), /EROFS/);
    const found = (await mounts.list()).filter(({ target }) => target.startsWith(folder));
    assert.deepEqual(
      found.map(({ target, propagation }) => [target, propagation]),
      [
        [memory, "shared"],
        [copy, "shared"],
      ],
    );
    await mounts.unmount(copy, { lazy: false }, signal);
    await mounts.unmount(copy, { lazy: false }, signal);
    assert.deepEqual(await mounts.unmountBelow(folder, signal), [memory]);
    assert.equal(await mounts.isMountPoint(memory), false);
    await rm(folder, { recursive: true });
  });
});

describe("control groups", () => {
  it("limit, measure, kill and go", async () => {
    const cgroups = new SystemCgroups();
    const path = `/${name}/burstable/pod1`;
    await cgroups.create(path, { cpuShares: 128, cpuQuotaUs: 20_000, memoryLimitBytes: 64 * 1024 * 1024, pids: 50 });
    const root = cgroups.layout.controllers.get("pids") ?? "";
    const child = await systemProcesses.start("sleep", { args: ["60"], log: { kind: "none" } });
    await writeFile(join(root, path, "cgroup.procs"), String(child.identity.pid));
    assert.deepEqual(await cgroups.processes(`/${name}`), [child.identity.pid]);
    assert.equal((await cgroups.stats(path))?.pids, 1);
    assert.equal(cgroups.oomKills(path), 0);
    assert.deepEqual(await cgroups.children(`/${name}`), [`/${name}/burstable`]);
    await cgroups.remove(`/${name}`);
    assert.equal((await child.exit).signal, "SIGKILL");
    assert.deepEqual(await cgroups.children("/").then((all) => all.filter((one) => one === `/${name}`)), []);
    assert.equal(cgroups.oomKills(path), undefined);
    assert.equal(await cgroups.stats(path), undefined);
    await cgroups.remove(`/${name}`);
  });
});

describe("nftables", () => {
  it("applies all of a script or nothing, and says why", async () => {
    const nftables = systemNftables();
    await nftables.apply(`table ip ${name} {\n map vips {\n type ipv4_addr : verdict;\n }\n }\n`, signal);
    const listed = await nftables.listTable("ip", name, signal);
    assert.ok(listed?.some((object) => "map" in object));
    await assert.rejects(
      nftables.apply(`add chain ip ${name} ok\nadd rule ip ${name} nochain accept\n`, signal),
      (error) => error instanceof NftablesError && /No such file or directory/.test(error.message),
    );
    assert.ok(!(await nftables.listTable("ip", name, signal))?.some((object) => "chain" in object));
    await nftables.deleteTable("ip", name, signal);
    await nftables.deleteTable("ip", name, signal);
    assert.equal(await nftables.listTable("ip", name, signal), undefined);
  });
});

describe("links, addresses and routes", () => {
  it("come and go", async () => {
    const { links, addresses, routes } = systemNetwork();
    await links.add(name, ["type", "bridge"], signal);
    await links.add(name, ["type", "bridge"], signal);
    await links.setUp(name, signal);
    await addresses.add(name, "10.218.0.1/24", signal);
    await addresses.add(name, "10.218.0.1/24", signal);
    assert.ok(
      (await addresses.list(signal)).some(
        (one) => one.link === name && one.address === "10.218.0.1" && one.prefixLength === 24,
      ),
    );
    const route = { destination: "10.218.1.0/24", via: "10.218.0.2", link: name, onlink: true };
    await routes.replace(route, signal);
    assert.ok(
      (await routes.list(signal)).some((one) => one.destination === route.destination && one.via === route.via),
    );
    assert.deepEqual([await routes.remove(route, signal), await routes.remove(route, signal)], [true, false]);
    const own = { ...route, destination: "10.218.2.0/24", protocol: "253" };
    const changes = [
      { kind: "remove", route: { ...own, destination: "10.218.3.0/24" } },
      { kind: "add", route: own },
      { kind: "add", route: { ...own, via: "10.218.0.3" } },
      { kind: "add", route: { ...own, destination: "10.218.4.0/24" } },
    ] as const;
    const refused = await routes.change(changes, signal);
    assert.deepEqual(
      refused.map(({ change }) => change),
      [changes[2]],
    );
    assert.match(refused[0]?.words ?? "", /File exists/);
    const made = async () => (await routes.list(signal)).filter(({ protocol }) => protocol === "253");
    assert.deepEqual(await made(), [own, { ...own, destination: "10.218.4.0/24" }]);
    await routes.removeAll("253", signal);
    await routes.removeAll("253", signal);
    assert.deepEqual(await made(), []);
    await addresses.remove(name, "10.218.0.1/24", signal);
    await addresses.remove(name, "10.218.0.1/24", signal);
    assert.equal((await links.list(signal)).find((one) => one.name === name)?.kind, "bridge");
    assert.deepEqual([await links.remove(name, signal), await links.remove(name, signal)], [true, false]);
    assert.match(await addresses.primaryIPv4(), /^\d+\.\d+\.\d+\.\d+$/);
  });
});

describe("kernel parameters and packages", () => {
  it("are read, and missing ones are told", async () => {
    assert.match((await systemSysctls.read("net.ipv4.ip_forward")) ?? "", /^[01]$/);
    assert.equal(await systemSysctls.read("net.ipv4.no_such_parameter"), undefined);
    assert.equal(await systemSysctls.write("net.ipv4.no_such_parameter", "1"), false);
    assert.deepEqual(await systemPackages().missing(["iproute2"]), []);
  });
});
