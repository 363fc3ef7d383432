import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EndpointSlices, Services } from "@skiff/api";
import { silentLogger, VirtualClock } from "@skiff/base";
import { MemoryInformers } from "@skiff/client/fixtures";
import { NftablesError, type NftObject, RecordingNftables } from "@skiff/host";
import { ready, service, slice } from "../fixtures/objects.ts";
import { type RuleSettings, rulesMark } from "./rules.ts";
import { ServiceProxy } from "./service-proxy.ts";
import type { StaleTarget } from "./stale-connections.ts";

const { signal } = new AbortController();
const rules: RuleSettings = {
  table: "t",
  podCidr: "10.42.0.0/24",
  clusterCidr: "10.42.0.0/16",
  bridge: "br0",
  bridgePacketsPassRules: true,
};

/** nft that says the table holds what the test wants it to. */
class FoundNftables extends RecordingNftables {
  table: readonly NftObject[] | undefined;
  override async listTable(): Promise<readonly NftObject[] | undefined> {
    return this.table;
  }
}

function setUp() {
  const informers = new MemoryInformers();
  const nftables = new FoundNftables();
  const clock = new VirtualClock();
  const forgotten: StaleTarget[] = [];
  const conntrack = { forget: async (target: StaleTarget) => void forgotten.push(target) };
  const options = { rules, nodeName: "node", informers, nftables, conntrack, clock, logger: silentLogger };
  return {
    services: informers.for(Services),
    slices: informers.for(EndpointSlices),
    nftables,
    clock,
    forgotten,
    start: () => ServiceProxy.start(options, signal),
  };
}

const element = (key: readonly (string | number)[], value?: unknown) =>
  value === undefined ? { concat: key } : [{ concat: key }, value];

/** The table as nft lists it when Service `web` at 10.96.0.1 has the endpoint 10.42.0.7. */
const webTable = (mark: string): readonly NftObject[] => [
  { table: { family: "ip", name: "t", handle: 1 } },
  { set: { name: mark } },
  { map: { name: "affinity", elem: [[{ elem: { val: "x", timeout: 5 } }, "a2a:7"]] } },
  { map: { name: "services", elem: [element(["10.96.0.1", "tcp", 80], { goto: { target: "service_1" } })] } },
  {
    map: {
      name: "endpoints",
      elem: [element(["10.96.0.1", "tcp", 80, 0], { concat: ["10.42.0.7", 8080] })],
    },
  },
  { set: { name: "cluster_ips", elem: ["10.96.0.1"] } },
  { set: { name: "hairpin", elem: [element(["10.42.0.7", "10.42.0.7"])] } },
];

describe("ServiceProxy", () => {
  it("makes the table with what is known, then changes only what a change touches", async () => {
    const { services, slices, nftables, clock, start } = setUp();
    services.put(service("web", { clusterIP: "10.96.0.1" }));
    services.put(service("other", { clusterIP: "10.96.0.2" }));
    slices.put(slice("web", ready("10.42.0.7")));
    await using _proxy = await start();
    assert.equal(nftables.scripts.length, 1);
    assert.match(nftables.scripts[0] ?? "", /^table ip t \{[\s\S]*add element ip t services/);
    slices.put(slice("web", ready("10.42.0.8")));
    services.put(service("more", { clusterIP: "10.96.0.3" }));
    await clock.advance(10);
    assert.deepEqual(nftables.scripts.slice(1), [
      [
        "delete element ip t endpoints { 10.96.0.1 . tcp . 80 . 0 }",
        "add element ip t endpoints { 10.96.0.1 . tcp . 80 . 0 : 10.42.0.8 . 8080 }",
        "add element ip t refused { 10.96.0.3 . tcp . 80 }",
        "add element ip t cluster_ips { 10.96.0.3 }",
        "delete element ip t hairpin { 10.42.0.7 . 10.42.0.7 }",
        "add element ip t hairpin { 10.42.0.8 . 10.42.0.8 }",
      ].join("\n"),
    ]);
    services.put(service("more", { clusterIP: "10.96.0.3" }));
    await clock.advance(10);
    assert.equal(nftables.scripts.length, 2, "nothing has changed");
  });

  it("takes over a table with its own rules, and changes only what differs", async () => {
    const { services, slices, nftables, start } = setUp();
    nftables.table = webTable(rulesMark(rules));
    services.put(service("web", { clusterIP: "10.96.0.1" }));
    slices.put(slice("web", ready("10.42.0.7")));
    await (await start())[Symbol.asyncDispose]();
    assert.deepEqual(nftables.scripts, []);
    // What is there stays in its slot, although its address comes second.
    slices.put(slice("web", ready("10.42.0.7", "10.42.0.6")));
    await (await start())[Symbol.asyncDispose]();
    assert.match(
      nftables.scripts.splice(0).join("\n"),
      /add element ip t endpoints \{ 10.96.0.1 . tcp . 80 . 1 : 10.42.0.6/,
    );
    services.put(service("new", { clusterIP: "10.96.0.2" }));
    services.remove("web", "default");
    await (await start())[Symbol.asyncDispose]();
    assert.deepEqual(nftables.scripts, [
      [
        "delete element ip t services { 10.96.0.1 . tcp . 80 }",
        "delete element ip t endpoints { 10.96.0.1 . tcp . 80 . 0 }",
        "add element ip t refused { 10.96.0.2 . tcp . 80 }",
        "delete element ip t cluster_ips { 10.96.0.1 }",
        "add element ip t cluster_ips { 10.96.0.2 }",
        "delete element ip t hairpin { 10.42.0.7 . 10.42.0.7 }",
      ].join("\n"),
    ]);
  });

  it("replaces a table that has other rules, in one transaction with its elements", async () => {
    const { services, slices, nftables, start } = setUp();
    nftables.table = webTable("rules_old");
    services.put(service("web", { clusterIP: "10.96.0.1" }));
    slices.put(slice("web", ready("10.42.0.7")));
    await (await start())[Symbol.asyncDispose]();
    assert.equal(nftables.scripts.length, 1);
    assert.match(nftables.scripts[0] ?? "", /^delete table ip t\ntable ip t \{[\s\S]*add element ip t endpoints/);
  });

  it("reads the table again after nft refused a change", async () => {
    const { services, nftables, clock, start } = setUp();
    await using _proxy = await start();
    nftables.table = [{ set: { name: rulesMark(rules) } }];
    nftables.failNext = new NftablesError("REJECTED", "nft: no");
    services.put(service("web", { clusterIP: "10.96.0.1" }));
    await clock.advance(10);
    assert.equal(nftables.scripts.length, 1);
    await clock.advance(1_010);
    assert.deepEqual(nftables.scripts.slice(1), [
      "add element ip t refused { 10.96.0.1 . tcp . 80 }\nadd element ip t cluster_ips { 10.96.0.1 }",
    ]);
  });

  it("makes the table again within minutes when somebody has deleted it", async () => {
    const { services, nftables, clock, start } = setUp();
    services.put(service("web", { clusterIP: "10.96.0.1" }));
    await using _proxy = await start();
    await clock.advance(6 * 60_000);
    assert.equal(nftables.scripts.length, 2);
    assert.match(
      nftables.scripts[1] ?? "",
      /^table ip t \{[\s\S]*refused \{ 10.96.0.1 . tcp . 80 \}\nadd element ip t cluster_ips \{ 10.96.0.1 \}$/,
    );
  });

  it("has UDP flows forgotten whose endpoint has gone, also while it was away", async () => {
    const { services, slices, nftables, clock, forgotten, start } = setUp();
    const ports = [{ name: "", port: 5353, protocol: "UDP" }];
    services.put(service("dns", { clusterIP: "10.96.0.10", ports: [{ port: 53, protocol: "UDP" }] }));
    slices.put(slice("dns", ready("10.42.0.7"), { ports }));
    const target = { protocol: "udp", address: "10.96.0.10", port: 53 };
    {
      await using _proxy = await start();
      slices.put(slice("dns", ready("10.42.0.8"), { ports }));
      await clock.advance(10);
      assert.deepEqual(forgotten.slice(1), [{ ...target, endpoint: "10.42.0.7" }]);
    }
    const endpoint = element(["10.96.0.10", "udp", 53, 0], { concat: ["10.42.0.9", 5353] });
    const lead = element(["10.96.0.10", "udp", 53], { goto: { target: "service_1" } });
    nftables.table = [
      { set: { name: rulesMark(rules) } },
      { map: { name: "services", elem: [lead] } },
      { map: { name: "endpoints", elem: [endpoint] } },
    ];
    forgotten.length = 0;
    await using _proxy = await start();
    assert.deepEqual(forgotten, [{ ...target, endpoint: "10.42.0.9" }]);
  });

  it("fills a table for 1,000 Services in small transactions, and changes one endpoint in a single small one", async () => {
    const { services, slices, nftables, clock, start } = setUp();
    const addresses = (index: number, count: number) =>
      Array.from({ length: count }, (_, n) => `10.${42 + (index >> 8)}.${index & 255}.${n + 1}`);
    for (let index = 0; index < 1_000; index++) {
      const ports = [{ port: 80, nodePort: 30_000 + index }];
      services.put(service(`s${index}`, { type: "NodePort", clusterIP: `10.96.${index >> 8}.${index & 255}`, ports }));
      slices.put(slice(`s${index}`, ready(...addresses(index, 10))));
    }
    await using _proxy = await start();
    const elements = nftables.scripts.map((script) => script.split("element ip t").slice(1).join("").split(",").length);
    assert.ok(Math.max(...elements) <= 400);
    nftables.scripts.length = 0;
    slices.put(slice("s500", ready(...addresses(500, 9))));
    await clock.advance(10);
    assert.equal(nftables.scripts.length, 1);
    assert.ok((nftables.scripts[0]?.length ?? 0) < 1_000, nftables.scripts[0]);
  });
});
