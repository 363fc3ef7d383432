/** Real packets through real rules, in network namespaces of the test's own: a node, three pods, a machine outside. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, EndpointSlices, Nodes, Services } from "@skiff/api";
import { isJsonObject, silentLogger, systemClock } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { type Nftables, systemNetwork, systemNftables } from "@skiff/host";
import { ip, Peer, processesIn, type Reached, sysctlsIn } from "../fixtures/namespaces.ts";
import { ready, service, slice } from "../fixtures/objects.ts";
import { setUpPodNetwork } from "../pod-network.ts";
import { systemConntrack } from "./conntrack.ts";
import { ServiceProxy } from "./service-proxy.ts";

const { signal } = new AbortController();
const prefix = `sk${process.pid}`;
const pods = { a: "10.42.0.11", b: "10.42.0.12", c: "10.42.0.13" } as const;
const nodeAddress = "172.31.99.1";
const node = `${prefix}n`;
/** Where no answer is expected. */
const silenceMs = 400;
const names = [node, ...["a", "b", "c", "o"].map((one) => prefix + one)];

const informers = new MemoryInformers();
const services = informers.for(Services);
const slices = informers.for(EndpointSlices);
const nodes = informers.for(Nodes);
const kernel = systemNftables(processesIn(node));
let onApplied = () => {};
const nftables: Nftables = {
  ...kernel,
  async apply(script, stop) {
    await kernel.apply(script, stop);
    onApplied();
  },
};
const peers = new Map<string, Peer>();
const stack = new AsyncDisposableStack();
let bridgePacketsPassRules = false;
let proxy: ServiceProxy;

const startProxy = () =>
  ServiceProxy.start(
    {
      rules: {
        table: "t",
        podCidr: "10.42.0.0/24",
        clusterCidr: "10.42.0.0/16",
        bridge: "br0",
        bridgePacketsPassRules,
      },
      nodeName: "node",
      informers,
      nftables,
      conntrack: systemConntrack(processesIn(node)),
      clock: systemClock,
      logger: silentLogger,
    },
    signal,
  );

async function connectPod(name: keyof typeof pods): Promise<void> {
  await ip(`-n ${node} link add v${name} type veth peer name eth0 netns ${prefix}${name}`);
  await ip(`-n ${node} link set v${name} master br0 up`);
  await ip(`-n ${node} link set v${name} type bridge_slave hairpin on`);
  await ip(`-n ${prefix}${name} address add ${pods[name]}/24 dev eth0`);
  await ip(`-n ${prefix}${name} link set eth0 up`);
  await ip(`-n ${prefix}${name} route add default via 10.42.0.1`);
}

before(async () => {
  for (const name of names) {
    await ip(`netns add ${name}`);
    stack.defer(async () => void (await ip(`netns delete ${name}`)));
    await ip(`-n ${name} link set lo up`);
  }
  await ip(`-n ${node} link add out type veth peer name eth0 netns ${prefix}o`);
  await ip(`-n ${node} address add ${nodeAddress}/24 dev out`);
  await ip(`-n ${node} link set out up`);
  await ip(`-n ${prefix}o address add 172.31.99.2/24 dev eth0`);
  await ip(`-n ${prefix}o link set eth0 up`);
  await ip(`-n ${prefix}o route add default via ${nodeAddress}`);
  const machine = { network: systemNetwork(processesIn(node)), sysctls: sysctlsIn(node) };
  const settings = { bridge: "br0", gateway: "10.42.0.1/24", serviceCidr: "10.96.0.0/16" };
  ({ bridgePacketsPassRules } = await setUpPodNetwork(settings, machine, signal));
  for (const name of ["a", "b", "c"] as const) await connectPod(name);
  for (const name of names) peers.set(name.slice(prefix.length), stack.use(await Peer.start(name, name.slice(-1))));
  proxy = await startProxy();
  stack.defer(() => proxy[Symbol.asyncDispose]());
});

after(() => stack.disposeAsync());

const from = (name: "n" | "a" | "b" | "c" | "o"): Peer => {
  const peer = peers.get(name);
  assert.ok(peer !== undefined);
  return peer;
};

const who = ({ answer, error }: Reached): string => answer?.split(" ")[0] ?? error ?? "";
const sourceSeen = ({ answer }: Reached): string | undefined => answer?.split(" ")[2];

/** Who answers, over so many connections, in order of name. */
async function answering(times: number, ask: () => Promise<Reached>): Promise<string> {
  const found = new Set<string>();
  for (let count = 0; count < times; count++) found.add(who(await ask()));
  return [...found].sort().join("");
}

/**
 * Makes a change, and waits until the kernel has its rules. A connection before that would stay in the kernel's memory for
 * minutes as one that no rule is for, and whoever gets its source port later has nothing better.
 */
async function change(make: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onApplied = resolve;
  make();
  await promise;
}

/** Waits (nft's refusals are mended after a second) until what is asked gives what is expected. */
async function settles(expected: string, ask: () => Promise<string>): Promise<void> {
  let last = "";
  const endMs = systemClock.monotonic() + 60_000;
  while (systemClock.monotonic() < endMs) {
    last = await ask();
    if (last === expected) return;
    await sleep(25);
  }
  assert.equal(last, expected);
}

describe("a ClusterIP", () => {
  it("is reached from the node, from pods and by the endpoint itself, and spreads over the endpoints", async () => {
    await change(() => {
      services.put(service("web", { clusterIP: "10.96.0.10" }));
      slices.put(slice("web", ready(pods.a, pods.b, pods.c)));
    });
    await settles("abc", () => answering(30, () => from("n").tcp("10.96.0.10", 80)));
    assert.equal(await answering(30, () => from("a").tcp("10.96.0.10", 80)), "abc");
    // A pod that meets another one is seen with its own address; one that meets itself is not.
    for (let count = 0; count < 20; count++) {
      const reached = await from("a").tcp("10.96.0.10", 80);
      assert.equal(sourceSeen(reached), who(reached) === "a" || !bridgePacketsPassRules ? "10.42.0.1" : pods.a);
    }
  });

  it("leads to ports of the same number by protocol, and to several ports of one Service", async () => {
    const ports = [
      { name: "tcp", port: 53, protocol: "TCP" },
      { name: "udp", port: 53, protocol: "UDP" },
      { name: "more", port: 81, protocol: "TCP", targetPort: "second" },
    ];
    await change(() => services.put(service("multi", { clusterIP: "10.96.0.11", ports })));
    const targets = [
      { name: "tcp", port: 8080, protocol: "TCP" },
      { name: "udp", port: 8081, protocol: "UDP" },
      { name: "more", port: 8081, protocol: "TCP" },
    ];
    await change(() => slices.put(slice("multi", ready(pods.b), { ports: targets })));
    await settles("b", async () => who(await from("c").tcp("10.96.0.11", 53)));
    assert.match((await from("c").tcp("10.96.0.11", 53)).answer ?? "", /^b 8080/);
    assert.match((await from("c").tcp("10.96.0.11", 81)).answer ?? "", /^b 8081/);
    assert.match((await from("c").udp("10.96.0.11", 53, 4001)).answer ?? "", /^b 8081/);
  });

  it("refuses at once without endpoints, TCP and UDP alike", async () => {
    await change(() => services.put(service("none", { clusterIP: "10.96.0.12" })));
    await settles("ECONNREFUSED", async () => who(await from("n").tcp("10.96.0.12", 80)));
    assert.equal((await from("a").tcp("10.96.0.12", 80)).error, "ECONNREFUSED");
    await change(() => slices.put(slice("none", ready(pods.a))));
    await settles("a", async () => who(await from("b").tcp("10.96.0.12", 80)));
    await change(() => slices.remove("none-1", "default"));
    await settles("ECONNREFUSED", async () => who(await from("b").tcp("10.96.0.12", 80)));
  });

  it("refuses ports and protocols of a ClusterIP that the Service does not have", async () => {
    await change(() => {
      services.put(service("narrow", { clusterIP: "10.96.0.14" }));
      slices.put(slice("narrow", ready(pods.a)));
    });
    await settles("a", async () => who(await from("b").tcp("10.96.0.14", 80)));
    for (const name of ["n", "b"] as const) {
      assert.equal((await from(name).tcp("10.96.0.14", 81)).error, "ECONNREFUSED");
      assert.equal((await from(name).udp("10.96.0.14", 80, 40_114, silenceMs)).answer, undefined);
    }
    assert.equal(who(await from("b").tcp("10.96.0.14", 80)), "a");
  });

  it("is gone with its Service", async () => {
    await change(() => {
      services.put(service("short", { clusterIP: "10.96.0.13" }));
      slices.put(slice("short", ready(pods.a)));
    });
    await settles("a", async () => who(await from("b").tcp("10.96.0.13", 80)));
    await change(() => services.remove("short", "default"));
    await settles("", async () => (await listed("10.96.0.13")) ?? "");
  });
});

/** The kernel's number of the table: another one after it was made anew. */
async function tableHandle(): Promise<unknown> {
  const objects = await nftables.listTable("ip", "t", signal);
  return objects?.map(({ table }) => isJsonObject(table) && table.handle).find((handle) => handle);
}

/** The elements whose text holds `text`, or `undefined` when there are none. */
async function listed(text: string): Promise<string | undefined> {
  const table = await nftables.listTable("ip", "t", signal);
  return table?.some((object) => JSON.stringify(object).includes(text)) ? text : undefined;
}

describe("ports and addresses for clients outside", () => {
  it("lets nobody else in where NodePorts of 127.0.0.1 come by", async () => {
    const c = `${prefix}c`;
    await ip(`-n ${c} address delete 127.0.0.1/8 dev lo`);
    await ip(`-n ${c} route add 127.0.0.0/8 via 10.42.0.1`);
    await sysctlsIn(c).write("net.ipv4.conf.eth0.route_localnet", "1");
    assert.equal((await from("c").tcp("10.42.0.1", 8080)).error, undefined, "the node listens");
    assert.equal((await from("c").tcp("127.0.0.1", 8080, silenceMs)).error, "ETIMEDOUT");
    await ip(`-n ${c} route delete 127.0.0.0/8 via 10.42.0.1`);
    await ip(`-n ${c} address add 127.0.0.1/8 dev lo`);
  });

  it("answers NodePorts on every address of the node, also on 127.0.0.1 and from pods", async () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    await change(() => {
      services.put(service("np", { type: "NodePort", clusterIP: "10.96.0.20", ports }));
      slices.put(slice("np", ready(pods.a, pods.b)));
    });
    await settles("ab", () => answering(20, () => from("o").tcp(nodeAddress, 30080)));
    assert.equal(await answering(20, () => from("n").tcp("127.0.0.1", 30080)), "ab");
    assert.equal(await answering(20, () => from("n").tcp(nodeAddress, 30080)), "ab");
    assert.equal(await answering(20, () => from("a").tcp("10.42.0.1", 30080)), "ab");
    assert.equal(sourceSeen(await from("o").tcp(nodeAddress, 30080)), "172.31.99.2");
  });

  it("refuses NodePorts without endpoints, and frees them when the type changes", async () => {
    await change(() => slices.put(slice("np", [])));
    await settles("ECONNREFUSED", async () => who(await from("o").tcp(nodeAddress, 30080)));
    await change(() => {
      slices.put(slice("np", ready(pods.a)));
      services.put(service("np", { type: "ClusterIP", clusterIP: "10.96.0.20" }));
    });
    await settles("a", async () => who(await from("b").tcp("10.96.0.20", 80)));
    await settles("ECONNREFUSED", async () => who(await from("o").tcp(nodeAddress, 30080)));
    assert.equal(await listed("30080"), undefined);
    await change(() => services.put(service("np", { type: "ExternalName", externalName: "example.com" })));
    await settles("", async () => (await listed("10.96.0.20")) ?? "");
  });

  it("answers external and load-balancer addresses", async () => {
    const spec = { clusterIP: "10.96.0.21", externalIPs: ["198.51.100.7"], type: "LoadBalancer" };
    await change(() => {
      services.put(service("lb", spec, { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } }));
      slices.put(slice("lb", ready(pods.c)));
    });
    await settles("c", async () => who(await from("o").tcp("198.51.100.7", 80)));
    assert.equal(who(await from("o").tcp("203.0.113.9", 80)), "c");
    assert.equal(who(await from("a").tcp("203.0.113.9", 80)), "c");
  });

  it("gives clients outside only this node's endpoints where the external policy is Local", async () => {
    const ports = [{ port: 80, nodePort: 30090 }];
    const spec = { type: "NodePort", clusterIP: "10.96.0.22", externalTrafficPolicy: "Local", ports };
    await change(() => services.put(service("local", spec)));
    const elsewhere = ready(pods.b).map((endpoint) => ({ ...endpoint, nodeName: "another" }));
    await change(() => slices.put(slice("local", [...ready(pods.a), ...elsewhere])));
    await settles("ab", () => answering(20, () => from("c").tcp("10.42.0.1", 30090)));
    assert.equal(await answering(20, () => from("o").tcp(nodeAddress, 30090)), "a");
    await change(() => slices.put(slice("local", elsewhere)));
    await settles("b", () => answering(20, () => from("c").tcp("10.42.0.1", 30090)));
    assert.equal((await from("o").tcp(nodeAddress, 30090, silenceMs)).error, "ETIMEDOUT");
  });
});

describe("hints", () => {
  const hinted = (address: string, hints: Endpoint["hints"]): Endpoint[] =>
    ready(address).map((endpoint) => ({ ...endpoint, nodeName: "other", ...(hints === undefined ? {} : { hints }) }));
  const zone = (name: string) => ({ forZones: [{ name }] });
  const place = (labels: Record<string, string>) =>
    nodes.put({
      metadata: { name: "node", uid: "n", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z", labels },
      spec: {},
      status: {},
    });

  it("lead to what is near the node, wherever it is moved to, and everywhere where they do not fit", async () => {
    await change(() => {
      services.put(service("near", { clusterIP: "10.96.0.25" }));
      slices.put(slice("near", [...hinted(pods.a, zone("east")), ...hinted(pods.b, zone("west"))]));
    });
    const ask = () => answering(20, () => from("c").tcp("10.96.0.25", 80));
    await settles("ab", ask);
    await change(() => place({ "topology.kubernetes.io/zone": "west" }));
    await settles("b", ask);
    await change(() => place({ "topology.kubernetes.io/zone": "east" }));
    await settles("a", ask);
    await change(() => slices.put(slice("near", [...hinted(pods.a, zone("east")), ...hinted(pods.b, undefined)])));
    await settles("ab", ask);
    const forNode = { forNodes: [{ name: "node" }], ...zone("north") };
    const forOther = { forNodes: [{ name: "other" }], ...zone("east") };
    await change(() => slices.put(slice("near", [...hinted(pods.b, forNode), ...hinted(pods.c, forOther)])));
    await settles("b", ask);
    await change(() =>
      slices.put(slice("near", [...hinted(pods.c, forOther), ...hinted(pods.a, { ...forOther, ...zone("west") })])),
    );
    await settles("c", ask);
  });
});

describe("session affinity", () => {
  const sticky = (seconds: number) =>
    service("sticky", {
      clusterIP: "10.96.0.30",
      type: "NodePort",
      ports: [{ port: 80, nodePort: 30030 }],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } },
    });

  it("keeps each client at its endpoint while other endpoints come and go", async () => {
    await change(() => {
      services.put(sticky(60));
      slices.put(slice("sticky", ready(pods.a, pods.b)));
    });
    await settles("1", async () => String((await answering(10, () => from("c").tcp("10.96.0.30", 80))).length));
    const mine = who(await from("c").tcp("10.96.0.30", 80));
    await change(() => slices.put(slice("sticky", ready(pods.a, pods.b, pods.c))));
    assert.equal(await answering(20, () => from("c").tcp("10.96.0.30", 80)), mine);
    const onPort = await answering(20, () => from("o").tcp(nodeAddress, 30030));
    assert.equal(onPort.length, 1);
    const kept = mine === "a" ? pods.a : pods.b;
    await change(() => slices.put(slice("sticky", ready(kept))));
    assert.equal(await answering(20, () => from("c").tcp("10.96.0.30", 80)), mine);
  });

  it("finds another endpoint when the client's own is gone, and keeps to that", async () => {
    const mine = who(await from("c").tcp("10.96.0.30", 80));
    await change(() =>
      slices.put(slice("sticky", ready(...Object.values(pods).filter((address) => address !== addressOf(mine))))),
    );
    const next = await answering(20, () => from("c").tcp("10.96.0.30", 80));
    assert.equal(next.length, 1);
    assert.notEqual(next, mine);
    await change(() => slices.put(slice("sticky", ready(pods.a, pods.b, pods.c))));
    assert.equal(await answering(20, () => from("c").tcp("10.96.0.30", 80)), next);
  });

  it("ends after its time, counted from the last connection", async () => {
    // Three connections one after the other take less than that on the busiest machine.
    const seconds = 5;
    await change(() => services.put(sticky(seconds)));
    const seen = new Set<string>();
    for (let round = 0; round < 16 && seen.size < 2; round++) {
      const mine = await answering(3, () => from("b").tcp("10.96.0.30", 80));
      assert.equal(mine.length, 1);
      seen.add(mine);
      await sleep(seconds * 1000 + 300);
    }
    assert.ok(seen.size > 1, "always the same endpoint");
  });

  it("can be switched off", async () => {
    await change(() => services.put(service("sticky", { clusterIP: "10.96.0.30", sessionAffinity: "None" })));
    await settles("abc", () => answering(30, () => from("c").tcp("10.96.0.30", 80)));
  });
});

const addressOf = (name: string): string | undefined =>
  name === "a" ? pods.a : name === "b" ? pods.b : name === "c" ? pods.c : undefined;

describe("changes under load", () => {
  /** Connects from several places until told to stop; tells what went wrong. */
  function connectUntil(stop: AbortSignal) {
    const failures: string[] = [];
    let begun = 0;
    const client = async (peer: Peer) => {
      while (!stop.aborted) {
        begun++;
        const reached = await peer.tcp("10.96.0.40", 80);
        if (reached.error !== undefined) failures.push(reached.error);
      }
    };
    const ended = Promise.all([client(from("n")), client(from("a")), client(from("b")), client(from("c"))]);
    return {
      failures,
      ended,
      /** Lets that many connections begin, and some time pass. */
      async pass(count: number, durationMs: number) {
        const enough = begun + count;
        await sleep(durationMs);
        while (begun < enough) await sleep(5);
      },
    };
  }

  it("loses no new connection while endpoints change, the proxy is away and the proxy comes back", async () => {
    await change(() => {
      services.put(service("busy", { clusterIP: "10.96.0.40" }));
      slices.put(slice("busy", ready(pods.a, pods.b)));
    });
    await settles("ab", () => answering(20, () => from("n").tcp("10.96.0.40", 80)));
    const stop = new AbortController();
    const load = connectUntil(stop.signal);
    const sets = [[pods.a], [pods.b, pods.c], [pods.a, pods.b, pods.c], [pods.c], [pods.a, pods.c]];
    for (let round = 0; round < 40; round++) {
      slices.put(slice("busy", ready(...(sets[round % sets.length] ?? []))));
      await load.pass(5, 25);
    }
    const table = await tableHandle();
    await proxy[Symbol.asyncDispose]();
    await load.pass(30, 200);
    slices.put(slice("busy", ready(pods.b)));
    proxy = await startProxy();
    await load.pass(30, 200);
    stop.abort();
    await load.ended;
    assert.equal(await tableHandle(), table, "the table was made anew");
    assert.deepEqual(load.failures, []);
    assert.equal(await answering(10, () => from("n").tcp("10.96.0.40", 80)), "b");
  });

  it("mends a table that somebody else has damaged", async () => {
    await nftables.apply("flush map ip t services", signal);
    await change(() => slices.put(slice("busy", [])));
    await settles("c", async () => {
      slices.put(slice("busy", ready(pods.c)));
      return who(await from("n").tcp("10.96.0.40", 80));
    });
  });
});

describe("UDP", () => {
  const ports = [{ port: 53, protocol: "UDP" }];
  const targets = [{ name: "", port: 8080, protocol: "UDP" }];

  it("leads a client that never changes its port to the endpoints that are there now", async () => {
    await change(() => services.put(service("dns", { clusterIP: "10.96.0.50", ports })));
    assert.ok((await from("c").udp("10.96.0.50", 53, 5001, silenceMs)).answer === undefined);
    await change(() => slices.put(slice("dns", ready(pods.a), { ports: targets })));
    await settles("a", async () => who(await from("c").udp("10.96.0.50", 53, 5001)));
    await change(() => slices.put(slice("dns", ready(pods.b), { ports: targets })));
    await settles("b", async () => who(await from("c").udp("10.96.0.50", 53, 5001)));
    // An endpoint more takes nothing from those that talk already.
    await change(() => slices.put(slice("dns", ready(pods.a, pods.b), { ports: targets })));
    assert.equal(await answering(5, () => from("c").udp("10.96.0.50", 53, 5001)), "b");
  });
});

describe("a kernel whose bridge does not show its packets to the rules", () => {
  it("still brings answers between pods of one bridge back, with other rules in the same table", async () => {
    await sysctlsIn(node).write("net.bridge.bridge-nf-call-iptables", "0");
    await proxy[Symbol.asyncDispose]();
    bridgePacketsPassRules = false;
    proxy = await startProxy();
    await change(() => slices.put(slice("busy", ready(pods.a, pods.b, pods.c))));
    await settles("abc", () => answering(30, () => from("a").tcp("10.96.0.40", 80)));
    assert.equal(who(await from("n").tcp("127.0.0.1", 30030)), "ECONNREFUSED");
  });
});
