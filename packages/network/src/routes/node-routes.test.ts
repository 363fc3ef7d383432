import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Node, Nodes } from "@skiff/api";
import { silentLogger, VirtualClock } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { MemorySysctls, type Route, type RouteChange, type Tunnel, type TunnelPeer } from "@skiff/host";
import { NodeRoutes } from "./node-routes.ts";

const node = (n: number, address = `192.0.2.${n}`): Node => ({
  metadata: {
    name: `node-${n}`,
    namespace: "",
    uid: `uid-${n}`,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { podCIDRs: ["fd00:42::/64", `10.42.${n}.0/24`] },
  status: {
    addresses: [
      { type: "Hostname", address: `node-${n}` },
      { type: "InternalIP", address },
    ],
  },
});

function start({ withoutTunnels = false } = {}) {
  const clock = new VirtualClock();
  const informers = new MemoryInformers();
  const nodes = informers.for(Nodes);
  const machine: Route[] = [{ destination: "192.0.2.0/24", link: "eth0", protocol: "kernel" }];
  const transactions: (readonly RouteChange[])[] = [];
  const problems: string[] = [];
  const sysctls = new MemorySysctls({ "net/ipv4/conf/eth0/route_localnet": "0" });
  const devices = new Map<string, Tunnel>();
  let peers: readonly TunnelPeer[] = [];
  let failures = 0;
  const routes = {
    list: async () => [...machine],
    replace: async () => {},
    remove: async () => false,
    removeAll: async () => {},
    async change(changes: readonly RouteChange[]) {
      if (failures > 0) {
        failures--;
        throw new Error("no ip here");
      }
      if (changes.length > 0) transactions.push(changes);
      for (const { kind, route } of changes) {
        if (kind === "add") machine.push(route);
        else
          machine.splice(
            machine.findIndex(({ destination }) => destination === route.destination),
            1,
          );
      }
      return [];
    },
  };
  const keeper = new NodeRoutes({
    nodeName: "node-1",
    podCidr: "10.42.1.0/24",
    clusterCidr: "10.42.0.0/16",
    protocol: "100",
    informers,
    sysctls,
    network: {
      routes,
      addresses: {
        own: () => ["192.0.2.1"],
        list: async () => [{ link: "eth0", family: "ipv4", address: "192.0.2.1", prefixLength: 24 }],
      },
      links: {
        async remove(name) {
          devices.delete(name);
          return true;
        },
      },
    },
    tunnels: {
      async ensure(tunnel) {
        if (withoutTunnels) throw new Error("Unknown device type");
        devices.set(tunnel.name, tunnel);
      },
      peers: async () => peers,
      async change(_, { add, remove }) {
        peers = [...peers.filter((peer) => !remove.includes(peer)), ...add];
      },
    },
    tunnel: { name: "skiff0v", id: 7 },
    nodeIp: "192.0.2.1",
    onProblem: (message, own) => problems.push(`${own?.metadata.name}: ${message}`),
    clock,
    logger: silentLogger,
  });
  const ours = () => machine.filter(({ protocol }) => protocol === "100").map(({ destination }) => destination);
  const remotes = () => peers.map(({ remote }) => remote);
  return {
    clock,
    nodes,
    devices,
    remotes,
    sysctls,
    machine,
    transactions,
    problems,
    keeper,
    ours,
    fail: (times: number) => (failures = times),
  };
}

describe("NodeRoutes", () => {
  it("follow nodes, those that come together in one go", async () => {
    const { clock, nodes, sysctls, transactions, keeper, ours } = start();
    await using _keeper = keeper;
    nodes.put(node(1));
    await clock.advance(1_000);
    assert.equal(await sysctls.read("net/ipv4/conf/eth0/route_localnet"), "0");
    for (let n = 2; n < 102; n++) nodes.put(node(n));
    await clock.advance(1_000);
    assert.equal(ours().length, 100);
    assert.equal(await sysctls.read("net/ipv4/conf/eth0/route_localnet"), "1");
    assert.equal(transactions.length, 1);
    nodes.remove("node-2");
    await clock.advance(1_000);
    assert.equal(ours().length, 99);
    assert.deepEqual(
      transactions.at(-1)?.map(({ kind, route }) => [kind, route.destination]),
      [["remove", "10.42.2.0/24"]],
    );
  });

  it("are mended when somebody took them, and tried again after a failure", async () => {
    const { clock, nodes, machine, keeper, ours, fail } = start();
    await using _keeper = keeper;
    fail(3);
    nodes.put(node(2));
    await clock.advance(400);
    assert.deepEqual(ours(), []);
    await clock.advance(20_000);
    assert.deepEqual(ours(), ["10.42.2.0/24"]);
    machine.pop();
    await clock.advance(61_000);
    assert.deepEqual(ours(), ["10.42.2.0/24"]);
  });

  it("tell once of a node that cannot be reached, and again when it comes back", async () => {
    const { clock, nodes, problems, keeper } = start();
    await using _keeper = keeper;
    nodes.put(node(1));
    nodes.put(node(2, "198.51.100.2"));
    await clock.advance(200_000);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^node-1: pods of node node-2 \(10\.42\.2\.0\/24\) cannot be reached/);
    nodes.put(node(2));
    await clock.advance(1_000);
    nodes.put(node(2, "198.51.100.2"));
    await clock.advance(1_000);
    assert.equal(problems.length, 2);
  });

  it("go through a tunnel where routers are between, for as long as there are such nodes", async () => {
    const { clock, nodes, machine, devices, remotes, problems, keeper } = start();
    await using _keeper = keeper;
    machine.push({ destination: "default", via: "192.0.2.254", link: "eth0" });
    nodes.put(node(2, "198.51.100.2"));
    nodes.put(node(3, "198.51.100.3"));
    await clock.advance(1_000);
    const own = { local: "192.0.2.1", link: "eth0", mac: "0a:6b:0a:2a:01:00", address: "10.42.1.0" };
    assert.deepEqual([...devices.values()], [{ name: "skiff0v", id: 7, ...own }]);
    assert.deepEqual(remotes(), ["198.51.100.2", "198.51.100.3"]);
    nodes.remove("node-3");
    await clock.advance(1_000);
    assert.deepEqual(remotes(), ["198.51.100.2"]);
    nodes.put(node(2));
    await clock.advance(1_000);
    assert.deepEqual([devices.size, problems], [0, []]);
  });

  it("are made to neighbours all the same where the kernel has no tunnels", async () => {
    const { clock, nodes, machine, problems, keeper, ours } = start({ withoutTunnels: true });
    await using _keeper = keeper;
    machine.push({ destination: "default", via: "192.0.2.254", link: "eth0" });
    nodes.put(node(2, "198.51.100.2"));
    nodes.put(node(3));
    await clock.advance(100_000);
    assert.deepEqual(ours(), ["10.42.3.0/24"]);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /behind routers cannot be reached from here: .*Unknown device type/);
  });
});
