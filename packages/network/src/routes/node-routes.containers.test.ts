/** Routes and tunnels of the kernel, between two machines (network namespaces) on both sides of a router. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Node, Nodes } from "@skiff/api";
import { silentLogger, systemClock } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { systemNetwork, systemTunnels } from "@skiff/host";
import { ip, Peer, processesIn, sysctlsIn } from "../fixtures/namespaces.ts";
import { NodeRoutes } from "./node-routes.ts";

const { signal } = new AbortController();
const prefix = `skr${process.pid}`;
const router = `${prefix}r`;
const stack = new AsyncDisposableStack();
const peers = new Map<number, Peer>();
const informers = new MemoryInformers();
const nodes = informers.for(Nodes);
/** Machines 1 and 3 are neighbours, 2 is behind the router. */
const networkOf = (n: number) => (n === 2 ? 2 : 1);
const addressOf = (n: number) => `172.31.${networkOf(n)}.${n + 10}`;

const node = (n: number): Node => ({
  metadata: {
    name: `node-${n}`,
    namespace: "",
    uid: `uid-${n}`,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { podCIDRs: [`10.42.${n}.0/24`] },
  status: { addresses: [{ type: "InternalIP", address: addressOf(n) }] },
});

/** A machine with a pod's address on it. */
async function machine(n: number): Promise<void> {
  const name = `${prefix}m${n}`;
  await ip(`netns add ${name}`);
  stack.defer(async () => void (await ip(`netns delete ${name}`)));
  await ip(`-n ${name} link set lo up`);
  await ip(`-n ${router} link add m${n} type veth peer name eth0 netns ${name}`);
  await ip(`-n ${router} link set m${n} master net${networkOf(n)} up`);
  await ip(`-n ${name} address add ${addressOf(n)}/24 dev eth0`);
  await ip(`-n ${name} link set eth0 up`);
  await ip(`-n ${name} route add default via 172.31.${networkOf(n)}.1`);
  await ip(`-n ${name} link add pods type bridge`);
  await ip(`-n ${name} address add 10.42.${n}.1/24 dev pods`);
  await ip(`-n ${name} link set pods up`);
  peers.set(n, stack.use(await Peer.start(name, `m${n}`)));
}

const start = (n: number) => {
  const processes = processesIn(`${prefix}m${n}`);
  const network = systemNetwork(processes);
  return new NodeRoutes({
    nodeName: `node-${n}`,
    nodeIp: addressOf(n),
    podCidr: `10.42.${n}.0/24`,
    clusterCidr: "10.42.0.0/16",
    protocol: "100",
    informers,
    // What this process knows of the machine is of another namespace.
    network: { ...network, addresses: { ...network.addresses, own: () => [addressOf(n)] } },
    tunnels: systemTunnels(processes),
    tunnel: { name: "skiff0v", id: 77 },
    sysctls: sysctlsIn(`${prefix}m${n}`),
    onProblem: (message) => assert.fail(message),
    clock: systemClock,
    logger: silentLogger,
  });
};

before(async () => {
  await ip(`netns add ${router}`);
  stack.defer(async () => void (await ip(`netns delete ${router}`)));
  await ip(`-n ${router} link set lo up`);
  await sysctlsIn(router).write("net.ipv4.ip_forward", "1");
  for (const n of [1, 2]) {
    await ip(`-n ${router} link add net${n} type bridge`);
    await ip(`-n ${router} address add 172.31.${n}.1/24 dev net${n}`);
    await ip(`-n ${router} link set net${n} up`);
  }
  for (const n of [1, 2, 3]) await machine(n);
  for (const n of [1, 2, 3]) nodes.put(node(n));
});
after(() => stack.disposeAsync());

/** Who answers, and which address it sees. */
async function asked(from: number, host: string): Promise<string> {
  const { answer, error } = (await peers.get(from)?.tcp(host, 8080)) ?? {};
  return answer ?? error ?? "";
}

/** Waits until what is asked gives what is expected; gives what it gave last. */
async function until<T>(expected: T, ask: () => Promise<T>): Promise<T> {
  const endMs = systemClock.monotonic() + 60_000;
  for (;;) {
    const found = await ask();
    if (found === expected || systemClock.monotonic() > endMs) return found;
    await sleep(50);
  }
}

async function settles(expected: string, from: number, host: string): Promise<void> {
  assert.equal(await until(expected, () => asked(from, host)), expected);
}

const linksOf = async (n: number) => {
  const found = await systemNetwork(processesIn(`${prefix}m${n}`)).links.list(signal);
  return found.map(({ name }) => name);
};

it("neighbours are reached directly, others through the tunnel, which goes when it is of no use", async () => {
  const running = [1, 2, 3].map(start);
  await settles("m3 8080 172.31.1.11", 1, "10.42.3.1");
  await settles("m2 8080 10.42.1.0", 1, "10.42.2.1");
  await settles("m1 8080 10.42.2.0", 2, "10.42.1.1");
  await settles("m2 8080 10.42.3.0", 3, "10.42.2.1");
  for (const one of running) await one[Symbol.asyncDispose]();
  assert.equal(await asked(1, "10.42.2.1"), "m2 8080 10.42.1.0", "what is there stays without its keeper");
  await using _again = start(1);
  await sleep(500);
  assert.equal(await asked(1, "10.42.2.1"), "m2 8080 10.42.1.0");
  nodes.remove("node-2");
  assert.equal(await until(false, async () => (await linksOf(1)).includes("skiff0v")), false);
  assert.equal(await asked(1, "10.42.3.1"), "m3 8080 172.31.1.11");
});
