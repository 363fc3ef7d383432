/** The plugin in real network namespaces: the node is one as well, as those of `skiff up --nodes` are. Needs root. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { access, chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { present } from "@skiff/base";
import {
  findCniPlugins,
  findProgram,
  type RunOptions,
  systemMounts,
  systemNetwork,
  systemProcesses,
} from "@skiff/host";
import { addressFolders, standardConfigList } from "./cni.ts";
import { podNetworkScript } from "./cni-plugin.ts";
import { prepareContainerd } from "./containerd-config.ts";
import { writePodNetwork } from "./pod-network-files.ts";
import { removeAllPortRules, removePortRules } from "./port-notes.ts";

const { signal } = new AbortController();
const prefix = `skp${process.pid}`;
const bridge = prefix;
const node = `${prefix}n`;
const { namespaces } = systemNetwork();
const inNode = systemNetwork(systemProcesses, { namespace: node });

interface Result {
  readonly cniVersion: string;
  readonly interfaces: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[];
  readonly ips: readonly { readonly address: string; readonly gateway: string; readonly interface: number }[];
}

interface Call {
  readonly id: string;
  /** Name of the pod's namespace; none where it is gone. */
  readonly namespace?: string;
  /** What CNI remembers. */
  readonly result?: Result;
  readonly ports?: readonly object[];
}

/** A sandbox's id, as containerd makes them. */
const idOf = (name: string) => createHash("sha256").update(`${prefix} ${name}`).digest("hex");
const addressOf = ({ ips }: Result) => ips[0]?.address.split("/")[0] ?? "";
const linkOf = ({ interfaces }: Result) => interfaces[1]?.name ?? "";

describe("the pods' network plugin", () => {
  let folder: string;
  let addresses: string;
  let cniFolder: string;
  let script: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skiff-cni-"));
    addresses = join(addressFolders(folder), bridge);
    script = join(folder, "skiff");
    cniFolder = present(await findCniPlugins(), "CNI's plugins");
    await namespaces.add(node, signal);
    await inNode.links.setUp("lo", signal);
  });
  after(async () => {
    for (const name of await namespaces.list()) if (name.startsWith(prefix)) await namespaces.remove(name, signal);
    await rm(folder, { recursive: true, force: true });
  });

  const write = async (podCidr: string, extras: { readonly portmap?: string; readonly mtu?: number } = {}) => {
    const ip = present(await findProgram("ip"), "iproute2");
    const { portmap = join(cniFolder, "portmap"), ...mtu } = extras;
    const network = { bridge, podCidr, gateway: "10.217.0.1", ...mtu };
    await writeFile(script, podNetworkScript(network, { addressFolder: addresses, ip, portmap }));
    await chmod(script, 0o755);
  };
  beforeEach(async () => {
    for (const name of await namespaces.list()) {
      if (name.startsWith(prefix) && name !== node) await namespaces.remove(name, signal);
    }
    await inNode.links.remove(bridge, signal);
    await rm(addresses, { recursive: true, force: true });
    await write("10.217.0.0/24");
  });

  const pod = async (name: string) => {
    await namespaces.add(`${prefix}${name}`, signal);
    return { id: idOf(name), namespace: `${prefix}${name}` };
  };
  const run = (command: string, args: readonly string[], options = {}, namespace = node) =>
    systemProcesses.run("nsenter", { ...options, args: [`--net=/run/netns/${namespace}`, command, ...args] }, signal);
  /** Calls a plugin as CNI does. */
  const plugin = async (program: string, command: string, call: Call, conf: object = {}) => {
    const env = {
      PATH: process.env.PATH,
      CNI_COMMAND: command,
      CNI_CONTAINERID: call.id,
      CNI_IFNAME: "eth0",
      CNI_NETNS: call.namespace === undefined ? "" : `/run/netns/${call.namespace}`,
      CNI_PATH: cniFolder,
    };
    const stdin = JSON.stringify({
      capabilities: { portMappings: true },
      cniVersion: "0.4.0",
      name: bridge,
      ...(call.result === undefined ? {} : { prevResult: call.result }),
      runtimeConfig: { portMappings: call.ports ?? null },
      type: "skiff",
      ...conf,
    });
    const { code, stdout } = await run(program, [], { env, stdin });
    return { code, said: stdout.trim() === "" ? undefined : JSON.parse(stdout) };
  };
  const add = async (call: Call): Promise<Result> => {
    const { code, said } = await plugin(script, "ADD", call);
    assert.equal(code, 0, JSON.stringify(said));
    return said;
  };
  const refused = async (call: Call): Promise<string> => {
    const { code, said } = await plugin(script, "ADD", call);
    assert.equal(code, 1, JSON.stringify(said));
    return said.msg;
  };
  const remove = async (call: Call) =>
    assert.deepEqual(await plugin(script, "DEL", call), { code: 0, said: undefined }, "nothing is said of it");
  const given = async () => (await readdir(addresses)).filter((name) => /^[\d.]+$/.test(name));
  const cables = async () => (await inNode.links.list(signal)).filter(({ master }) => master === bridge);
  /** A new cable may carry nothing for its first seconds on a busy machine. */
  const reaches = async (namespace: string, address: string, attempts = 10) => {
    for (let tried = 0; tried < attempts; tried++)
      if ((await run("busybox", ["ping", "-c1", "-W2", address], {}, namespace)).code === 0) return true;
    return false;
  };

  it("connects a pod, makes the bridge for the first one, and tells CNI", async () => {
    await write("10.217.0.0/24", { mtu: 1400 });
    const one = await pod("a");
    const result = await add(one);
    assert.deepEqual(result, {
      cniVersion: "0.4.0",
      interfaces: [
        { name: bridge },
        { name: linkOf(result) },
        { name: "eth0", mac: "0a:58:0a:d9:00:02", sandbox: `/run/netns/${one.namespace}` },
      ],
      ips: [{ version: "4", interface: 2, address: "10.217.0.2/24", gateway: "10.217.0.1" }],
      routes: [{ dst: "0.0.0.0/0" }],
      dns: {},
    });
    const inside = systemNetwork(systemProcesses, { namespace: one.namespace });
    const links = await inside.links.list(signal);
    assert.deepEqual(
      links.map(({ name, mtu, up, mac }) => [name, mtu, up, mac]),
      [
        ["lo", 65536, true, "00:00:00:00:00:00"],
        ["eth0", 1400, true, "0a:58:0a:d9:00:02"],
      ],
    );
    assert.ok(
      (await inside.routes.list(signal)).some(
        ({ destination, via }) => destination === "default" && via === "10.217.0.1",
      ),
    );
    const outside = (await inNode.links.list(signal)).filter(({ name }) => name !== "lo");
    assert.deepEqual(outside.map(({ name, mtu, up, master }) => [name, mtu, up, master]).toSorted(), [
      [bridge, 1400, true, undefined],
      [linkOf(result), 1400, true, bridge],
    ]);
    assert.match((await run("bridge", ["-d", "link", "show", "dev", linkOf(result)])).stdout, /hairpin on/);
    const two = await pod("b");
    await add(two);
    assert.ok(await reaches(two.namespace, "10.217.0.2"));
    assert.ok(await reaches(two.namespace, "10.217.0.1"));
    // The bridge keeps its MAC whoever comes: pods remember it.
    assert.equal((await inNode.links.list(signal)).find(({ name }) => name === bridge)?.mac, "0a:58:0a:d9:00:01");
  });

  it("checks what it made", async () => {
    const one = await pod("a");
    const result = await add(one);
    assert.deepEqual(await plugin(script, "CHECK", { ...one, result }), { code: 0, said: undefined });
    await run("ip", ["address", "delete", "10.217.0.2/24", "dev", "eth0"], {}, one.namespace);
    assert.match(
      (await plugin(script, "CHECK", { ...one, result })).said.msg,
      /does not have the address 10\.217\.0\.2/,
    );
    await remove({ ...one, result });
    assert.match((await plugin(script, "CHECK", { ...one, result })).said.msg, /has no address/);
  });

  it("gives addresses back, by CNI's memory or without, once or twice, also when the namespace is gone", async () => {
    const [one, two, three] = [await pod("a"), await pod("b"), await pod("c")];
    const result = await add(one);
    await add(two);
    await add(three);
    await remove({ ...one, result });
    await remove({ ...one, result });
    assert.deepEqual(await given(), ["10.217.0.3", "10.217.0.4"]);
    await remove(two);
    await remove(two);
    await namespaces.remove(three.namespace, signal);
    await remove({ id: three.id });
    await remove({ id: idOf("never was") });
    assert.deepEqual(await given(), []);
    await rm(addresses, { recursive: true });
    await remove(one);
  });

  it("leaves nothing when it fails, and succeeds when it is asked again", async () => {
    const one = { id: idOf("a"), namespace: `${prefix}a` };
    assert.match(await refused(one), /netns/);
    await pod("a");
    await run("ip", ["link", "add", "eth0", "type", "bridge"], {}, one.namespace);
    assert.match(await refused(one), /File exists/);
    assert.deepEqual([await given(), await cables()], [[], []]);
    await run("ip", ["link", "delete", "eth0"], {}, one.namespace);
    // Here the cable is there when it fails.
    await run("ip", ["link", "set", "lo", "up"], {}, one.namespace);
    await run("ip", ["route", "add", "default", "dev", "lo"], {}, one.namespace);
    assert.match(await refused(one), /File exists/);
    assert.deepEqual([await given(), await cables()], [[], []]);
    await run("ip", ["route", "delete", "default"], {}, one.namespace);
    const result = await add(one);
    // Whoever asks for what is there already takes nothing from it.
    assert.match(await refused(one), /File exists/);
    assert.deepEqual(await given(), [addressOf(result)]);
    assert.ok(await reaches(one.namespace, "10.217.0.1"));
  });

  it("says that no address is left, and never gives one while it is somebody's", async () => {
    await write("10.217.0.0/29");
    const pods = await Promise.all(["a", "b", "c", "d", "e"].map(pod));
    const results: Result[] = [];
    for (const one of pods) results.push(await add(one));
    assert.deepEqual(
      results.map(addressOf),
      [2, 3, 4, 5, 6].map((n) => `10.217.0.${n}`),
    );
    const last = await pod("f");
    assert.equal(await refused(last), "no IP addresses available in range set: 10.217.0.1-10.217.0.6");
    assert.equal((await cables()).length, 5);
    const third = { ...present(pods[2], "a pod"), result: present(results[2], "a result") };
    await remove(third);
    // Its namespace is still there, and so is the cable: who gets the address gets it alone.
    assert.equal(addressOf(await add(last)), "10.217.0.4");
    assert.equal((await cables()).length, 5);
    assert.ok(await reaches(last.namespace, "10.217.0.2"));
    assert.ok(!(await reaches(third.namespace, "10.217.0.2", 1)));
  });

  it("leaves a link alone that has the name and is not the bridge's", async () => {
    await write("10.217.0.0/30");
    const one = await pod("a");
    const link = linkOf(await add(one));
    await remove(one);
    await run("ip", ["link", "delete", link]);
    await inNode.links.add(link, ["type", "bridge"], signal);
    assert.match(await refused(one), /File exists/);
    assert.deepEqual(await given(), []);
    assert.ok(await inNode.links.remove(link, signal));
    assert.equal(linkOf(await add(one)), link);
  });

  it("does not give an address again at once, and begins anew at the end", async () => {
    await write("10.217.0.0/29");
    const one = await pod("a");
    const seen: string[] = [];
    for (let n = 0; n < 6; n++) {
      const result = await add(one);
      seen.push(addressOf(result));
      await remove({ ...one, result });
      await run("ip", ["link", "delete", "eth0"], {}, one.namespace);
    }
    assert.deepEqual(
      seen,
      [2, 3, 4, 5, 6, 2].map((n) => `10.217.0.${n}`),
    );
  });

  it("gives fifty pods at once an address each, and a bridge to all", async () => {
    const pods = await Promise.all(Array.from({ length: 50 }, (_, n) => pod(`m${n}`)));
    const results = await Promise.all(pods.map(add));
    assert.equal(new Set(results.map(addressOf)).size, 50);
    assert.equal(new Set(results.map(linkOf)).size, 50);
    assert.equal((await cables()).length, 50);
    const [first, last] = [present(pods[0], "a pod"), present(results[49], "a result")];
    assert.ok(await reaches(first.namespace, addressOf(last)));
    await Promise.all(pods.map((one, at) => remove({ ...one, ...(at % 2 === 0 ? {} : { result: results[at] }) })));
    assert.deepEqual(await given(), []);
  });

  it("goes on where the plugins `bridge` and `host-local` were before", async () => {
    const ranges = [[{ subnet: "10.217.0.0/24", gateway: "10.217.0.1" }]];
    const ipam = { type: "host-local", dataDir: addressFolders(folder), ranges, routes: [{ dst: "0.0.0.0/0" }] };
    const conf = { type: "bridge", bridge, isGateway: true, hairpinMode: true, ipam };
    const old = join(cniFolder, "bridge");
    const [one, two, three] = [await pod("a"), await pod("b"), await pod("c")];
    const results: Result[] = [];
    for (const before of [one, two]) results.push((await plugin(old, "ADD", before, conf)).said);
    assert.deepEqual(results.map(addressOf), ["10.217.0.2", "10.217.0.3"]);
    const result = await add(three);
    assert.equal(addressOf(result), "10.217.0.4");
    assert.ok(await reaches(three.namespace, "10.217.0.2"));
    await remove({ ...one, result: present(results[0], "a result") });
    await remove(two);
    assert.deepEqual(await given(), ["10.217.0.4"]);
    // And back again.
    assert.equal((await plugin(old, "DEL", { ...three, result }, conf)).code, 0);
    assert.deepEqual(
      (await given()).filter((name) => name !== "lock"),
      [],
    );
  });

  const rulesOf = async (id: string) => (await run("iptables-save", ["-t", "nat"])).stdout.includes(id.slice(0, 20));

  it("asks portmap where a pod has ports of the node, and only there", async () => {
    const ports = [{ HostPort: 8080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }];
    const one = { ...(await pod("a")), ports };
    const result = await add(one);
    assert.ok(await rulesOf(one.id));
    await remove({ ...one, result });
    assert.ok(!(await rulesOf(one.id)));
    assert.deepEqual(await readdir(addresses), ["last_reserved_ip.0"]);

    const noted = join(folder, "noted");
    const refuses = join(folder, "refuses");
    const error = JSON.stringify({ cniVersion: "0.4.0", code: 999, msg: 'a "port" is taken' }, null, 4);
    await writeFile(refuses, `#!/bin/sh\necho "$CNI_COMMAND" >>'${noted}'\ncat <<'END'\n${error}\nEND\nexit 1\n`);
    await chmod(refuses, 0o755);
    await write("10.217.0.0/24", { portmap: refuses });
    const two = await pod("b");
    assert.match(await refused({ ...two, ports }), /a .*port.* is taken/);
    assert.deepEqual([await given(), (await cables()).map(({ name }) => name)], [[], [linkOf(result)]]);
    assert.equal(await readFile(noted, "utf8"), "ADD\nDEL\n");
    assert.deepEqual(await readdir(addresses), ["last_reserved_ip.0"]);
    await rm(noted);
    const without = { ...two, result: await add(two) };
    assert.match((await plugin(script, "CHECK", { ...without, ports })).said.msg, /is taken/);
    await rm(noted);
    assert.equal((await plugin(script, "CHECK", without)).code, 0);
    await remove(without);
    await assert.rejects(access(noted), /ENOENT/);
  });

  it("notes what portmap did, so that it is undone for sandboxes that nobody ends", async () => {
    const ports = [{ HostPort: 8080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }];
    const [one, two] = [
      { ...(await pod("a")), ports },
      { ...(await pod("b")), ports },
    ];
    for (const each of [one, two]) await add(each);
    const processes = { ...systemProcesses, run: (command: string, options: RunOptions) => run(command, [], options) };
    await removePortRules(join(addresses, `ports.${one.id}`), processes, signal);
    assert.deepEqual([await rulesOf(one.id), await rulesOf(two.id)], [false, true]);
    await removeAllPortRules({ stateDirectory: folder }, processes, signal);
    assert.ok(!(await rulesOf(two.id)));
    assert.deepEqual((await readdir(addresses)).sort(), ["10.217.0.2", "10.217.0.3", "last_reserved_ip.0"]);
  });
});

it("a network that is written while containerd is prepared without it stays", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-known-"));
  const stateDirectory = `/run/${prefix}k`;
  try {
    const config = { rootDirectory: join(folder, "containerd"), stateDirectory, registries: [] };
    const network = { bridge, podCidr: "10.217.0.0/24", gateway: "10.217.0.1" };
    await prepareContainerd(config, systemProcesses, signal);
    const lists = join(config.rootDirectory, "cni-lists");
    assert.deepEqual(await readdir(lists), []);
    await writePodNetwork(config, network);
    await prepareContainerd(config, systemProcesses, signal);
    assert.deepEqual(await readdir(lists), ["10-skiff.conflist"]);
  } finally {
    for (const one of [folder, stateDirectory]) await rm(one, { recursive: true, force: true });
  }
});

it("CNI's own plugins are asked where nothing may be run from the node's folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skiff-noexec-"));
  const stateDirectory = `/run/${prefix}`;
  try {
    await systemProcesses.output("mount", { args: ["-t", "tmpfs", "-o", "noexec", "tmpfs", folder] }, signal);
    const network = { bridge, podCidr: "10.217.0.0/24", gateway: "10.217.0.1" };
    const config = { rootDirectory: join(folder, "containerd"), stateDirectory, network, registries: [] };
    await prepareContainerd(config, systemProcesses, signal);
    const toml = await readFile(join(config.rootDirectory, "config.toml"), "utf8");
    assert.ok(toml.includes(`bin_dir = "${await findCniPlugins()}"`));
    const list = await readFile(join(config.rootDirectory, "cni-lists/10-skiff.conflist"), "utf8");
    assert.equal(list, standardConfigList(network, stateDirectory));
  } finally {
    await systemMounts().unmountBelow(folder, signal);
    for (const one of [folder, stateDirectory]) await rm(one, { recursive: true, force: true });
  }
});
