import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "@skiff/base";
import { chooseSettings, clustersIn } from "./choose.ts";
import { clusterPaths, defaultHome } from "./paths.ts";
import {
  ClusterError,
  type ClusterSettings,
  clusterDnsIp,
  type JoinedSettings,
  kubernetesServiceIp,
  machineNames,
  nthAddress,
  parseSettings,
  readHomeSettings,
  readSettings,
  serverUrl,
  writeSettings,
} from "./settings.ts";
import { claimSlot, releaseSlots } from "./slots.ts";

const example: ClusterSettings = {
  name: "default",
  runtime: "simulated",
  nodeName: "node",
  nodeIp: "192.0.2.1",
  apiPort: 6443,
  kubeletPort: 10250,
  clusterCidr: "10.42.0.0/16",
  nodeMaskSizes: [24],
  podCidr: "10.42.0.0/24",
  serviceCidr: "10.96.0.0/16",
  nodePorts: [30000, 32767],
  clusterDomain: "cluster.local",
  slot: 0,
  serverNames: ["api.example.com"],
  nodes: { count: 2, range: "10.201.0.0/24" },
  simulatedNodes: 3,
};

async function home(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-settings-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const wishes = { name: "default", runtime: "simulated", nodeIp: "192.0.2.1" } as const;
const failsWith = (code: string) => (error: unknown) => error instanceof ClusterError && error.code === code;

/** Listens on a port until disposed of. */
async function occupy(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "0.0.0.0", resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { port: address.port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe("settings", () => {
  it("come back as they were written, for nobody else to read", async (test) => {
    const paths = clusterPaths(await home(test), "default");
    assert.equal(await readSettings(paths), undefined);
    await writeSettings(paths, example);
    assert.deepEqual(await readSettings(paths), example);
    assert.equal((await stat(paths.settings)).mode & 0o777, 0o600);
    assert.match(await readFile(paths.settings, "utf8"), /\n$/);
  });

  it("of a node that joined come back, and are no cluster's", async (test) => {
    const paths = clusterPaths(await home(test), "default");
    const {
      apiPort: _port,
      nodePorts: _ports,
      serverNames: _names,
      simulatedNodes: _count,
      nodes: _nodes,
      ...node
    } = example;
    const joined: JoinedSettings = { ...node, server: "https://192.0.2.9:6443" };
    await writeSettings(paths, joined);
    assert.deepEqual(await readHomeSettings(paths), joined);
    await assert.rejects(readSettings(paths), failsWith("JOINED"));
    assert.deepEqual([serverUrl(joined), serverUrl(example)], ["https://192.0.2.9:6443", "https://127.0.0.1:6443"]);
    const [found] = await clustersIn(paths.home);
    assert.deepEqual(found, joined);
  });
  it("of clusters that know nothing of pods' ranges are read with the usual ones", () => {
    const { clusterCidr: _range, nodeMaskSizes: _sizes, ...older } = example;
    assert.deepEqual(parseSettings(JSON.stringify(older), "x"), example);
  });

  const damages: readonly (readonly [string, string, RegExp])[] = [
    ["half a file", '{"name": "def', /not JSON/],
    ["an empty file", "", /not JSON/],
    ["a list", "[]", /not an object/],
    ["an unknown runtime", JSON.stringify({ ...example, runtime: "docker" }), /unknown runtime docker/],
    ["no port", JSON.stringify({ ...example, apiPort: undefined }), /apiPort is missing/],
    ["a port that is no number", JSON.stringify({ ...example, kubeletPort: "10250" }), /kubeletPort is missing/],
    ["a fraction of a slot", JSON.stringify({ ...example, slot: 0.5 }), /slot is missing/],
    ["one node port", JSON.stringify({ ...example, nodePorts: [30000] }), /nodePorts is missing/],
    ["an empty name", JSON.stringify({ ...example, name: "" }), /name is missing/],
  ];
  for (const [what, text, words] of damages) {
    it(`that are damaged say so: ${what}`, () =>
      assert.throws(
        () => parseSettings(text, "/x/cluster.json"),
        (error) =>
          failsWith("SETTINGS_DAMAGED")(error) &&
          error instanceof Error &&
          words.test(error.message) &&
          error.message.startsWith("/x/cluster.json is damaged"),
      ));
  }

  it("that cannot be read are not taken for missing", async (test) => {
    const paths = clusterPaths(await home(test), "default");
    await mkdir(paths.settings, { recursive: true });
    await assert.rejects(readSettings(paths), failsWith("HOME_UNREADABLE"));
  });
});

describe("nthAddress", () => {
  for (const [cidr, n, address] of [
    ["10.96.0.0/16", 1, "10.96.0.1"],
    ["10.96.0.0/16", 10, "10.96.0.10"],
    ["10.42.3.0/24", 1, "10.42.3.1"],
    ["10.96.0.0/16", 256, "10.96.1.0"],
    ["192.168.255.0/24", 300, "192.169.0.44"],
    ["255.255.255.0/24", 255, "255.255.255.255"],
  ] as const) {
    it(`${n} of ${cidr} is ${address}`, () => assert.equal(nthAddress(cidr, n), address));
  }

  it("places the API server's and the DNS Service", () => {
    assert.equal(kubernetesServiceIp(example), "10.96.0.1");
    assert.equal(clusterDnsIp(example), "10.96.0.10");
  });
});

describe("machineNames", () => {
  it("fit into a link's name for every slot", () => {
    for (const slot of [0, 63]) {
      const { bridge, nftTable, cgroup } = machineNames({ slot });
      assert.ok(bridge.length <= 15);
      assert.deepEqual([bridge, nftTable, cgroup], [`skiff${slot}`, `skiff${slot}`, `/kubepods-skiff${slot}`]);
    }
  });
});

describe("defaultHome", () => {
  it("is what the environment says, else the system's for root, else the user's", () => {
    assert.equal(defaultHome({ SKIFF_HOME: "/x" }, true), "/x");
    assert.equal(defaultHome({ SKIFF_HOME: "" }, true), "/var/lib/skiff");
    assert.match(defaultHome({}, false), /\/\.skiff$/);
  });
});

describe("chooseSettings", () => {
  /**
   * Settings in a slot, `from` or a later one, that is this test's until it ends: clusters of other tests come and go on this
   * machine meanwhile.
   */
  async function choose(test: TestContext, folder: string, { name = "default", from = 0 } = {}) {
    const paths = clusterPaths(folder, name);
    const claim = async (slot: number) => {
      test.after(() => releaseSlots(paths));
      return slot >= from && (await claimSlot(slot, paths, systemClock));
    };
    return await chooseSettings(folder, { ...wishes, name, claim });
  }

  it("takes the first slot that no other cluster has, with ports and ranges of its own", async (test) => {
    const folder = await home(test);
    const first = await choose(test, folder);
    await writeSettings(clusterPaths(folder, "default"), first);
    const second = await choose(test, folder, { name: "second", from: first.slot });
    assert.ok(second.slot > first.slot);
    for (const field of ["apiPort", "kubeletPort", "podCidr", "serviceCidr", "nodeName"] as const) {
      assert.notEqual(second[field], first[field], field);
    }
    assert.match(second.nodeName, /^[a-z0-9][a-z0-9.-]*-second$/);
    assert.equal(second.podCidr, `10.42.${second.slot}.0/24`);
    const again = await choose(test, folder, { from: first.slot });
    assert.equal(again.slot, first.slot, "a cluster does not stand in its own way");
  });

  it("leaves the slots of other clusters' further nodes to them", async (test) => {
    const folder = await home(test);
    const first = await choose(test, folder, { name: "first" });
    const paths = clusterPaths(folder, "first");
    await writeSettings(paths, { ...first, name: "first" });
    const second = { name: "second", from: first.slot };
    const { slot: next } = await choose(test, folder, second);
    await mkdir(join(paths.nodes, "2"), { recursive: true });
    await writeSettings(clusterPaths(paths.nodes, "2"), { ...example, slot: next });
    assert.ok((await choose(test, folder, second)).slot > next);
  });

  it("passes over slots whose ports are taken", async (test) => {
    const folder = await home(test);
    const free = await choose(test, folder);
    {
      await using _kubelet = await occupy(free.kubeletPort);
      assert.ok((await choose(test, folder, { from: free.slot })).slot > free.slot);
    }
    await using _api = await occupy(free.apiPort);
    assert.ok((await choose(test, folder, { from: free.slot })).slot > free.slot);
  });

  it("keeps to the port that was asked for, or refuses", async (test) => {
    const folder = await home(test);
    const taken = await occupy(0);
    await assert.rejects(chooseSettings(folder, { ...wishes, apiPort: taken.port }), failsWith("PORT_TAKEN"));
    await taken[Symbol.asyncDispose]();
    assert.equal((await chooseSettings(folder, { ...wishes, apiPort: taken.port })).apiPort, taken.port);
  });
});

describe("clustersIn", () => {
  it("leaves damaged ones and strangers out", async (test) => {
    const folder = await home(test);
    await writeSettings(clusterPaths(folder, "good"), { ...example, name: "good" });
    await mkdir(join(folder, "empty"));
    await mkdir(join(folder, "bad"));
    await writeFile(join(folder, "bad", "cluster.json"), "{");
    await writeFile(join(folder, "file"), "");
    assert.deepEqual(
      (await clustersIn(folder)).map(({ name }) => name),
      ["good"],
    );
    assert.deepEqual(await clustersIn(join(folder, "nowhere")), []);
  });
});
