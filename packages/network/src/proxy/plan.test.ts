import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from "@skiff/api";
import { ready, service, slice } from "../fixtures/objects.ts";
import { type MapKey, mapKeys } from "./elements.ts";
import { planService } from "./plan.ts";

/** The elements of the maps that hold any; ClusterIPs are looked at by a test of their own. */
function planned(one: Service, ...slices: readonly EndpointSlice[]): Partial<Record<MapKey, Record<string, string>>> {
  const elements = planService({ service: one, slices }, { nodeName: "node", zone: "here" });
  const filled = mapKeys.filter((map) => map !== "clusterIps" && elements[map].size > 0);
  return Object.fromEntries(filled.map((map) => [map, Object.fromEntries(elements[map])]));
}

const web = (spec: Partial<ServiceSpec> = {}, status: Service["status"] = {}) =>
  service("web", { clusterIP: "10.96.0.1", ...spec }, status);
const away = (address: string) => ({ addresses: [address], conditions: { ready: true }, nodeName: "other" });

describe("planService", () => {
  it("knows the ClusterIP, of Services that have one, to refuse what the Service does not answer", () => {
    const place = { nodeName: "node", zone: "here" };
    const known = (spec: Partial<ServiceSpec>) => [
      ...planService({ service: web(spec), slices: [] }, place).clusterIps.keys(),
    ];
    assert.deepEqual(known({}), ["10.96.0.1"]);
    for (const clusterIP of ["None", "", "fd00::1"]) assert.deepEqual(known({ clusterIP }), []);
    assert.deepEqual(known({ type: "ExternalName" }), []);
  });

  it("leads a ClusterIP to its endpoints, in order of address", () => {
    assert.deepEqual(planned(web(), slice("web", ready("10.42.0.8", "10.42.0.7"))), {
      services: { "10.96.0.1 . tcp . 80": "goto service_2" },
      endpoints: { "10.96.0.1 . tcp . 80 . 0": "10.42.0.7 . 8080", "10.96.0.1 . tcp . 80 . 1": "10.42.0.8 . 8080" },
      hairpin: { "10.42.0.7 . 10.42.0.7": "", "10.42.0.8 . 10.42.0.8": "" },
    });
  });

  const nothing: readonly (readonly [string, Service])[] = [
    ["a headless Service", web({ clusterIP: "None" })],
    ["a name for another name", web({ type: "ExternalName", externalName: "example.com" })],
    ["a Service without an address yet", service("web", {})],
    ["an IPv6 address", web({ clusterIP: "fd00::1" })],
  ];
  for (const [what, one] of nothing) {
    it(`plans nothing for ${what}`, () => assert.deepEqual(planned(one, slice("web", ready("10.42.0.7"))), {}));
  }

  it("refuses what has no endpoints, by address and by node port", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    const one = web({ type: "NodePort", ports, externalIPs: ["198.51.100.1"] });
    assert.deepEqual(planned(one), {
      refused: { "10.96.0.1 . tcp . 80": "", "198.51.100.1 . tcp . 80": "" },
      refusedNodePorts: { "tcp . 30080": "" },
    });
  });

  it("keeps ports of one number apart by protocol, and finds target ports by name", () => {
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
      { name: "sctp", port: 9, protocol: "SCTP" },
    ];
    const targets = [
      { name: "dns", port: 5353, protocol: "UDP" },
      { name: "dns-tcp", port: 5354, protocol: "TCP" },
      { name: "sctp", port: 5355, protocol: "SCTP" },
    ];
    assert.deepEqual(planned(web({ ports }), slice("web", ready("10.42.0.7"), { ports: targets })).endpoints, {
      "10.96.0.1 . udp . 53 . 0": "10.42.0.7 . 5353",
      "10.96.0.1 . tcp . 53 . 0": "10.42.0.7 . 5354",
      "10.96.0.1 . sctp . 9 . 0": "10.42.0.7 . 5355",
    });
  });

  it("joins slices whose pods have different numbers for a named port", () => {
    const one = slice("web", ready("10.42.0.7"), { name: "a", ports: [{ name: "", port: 1, protocol: "TCP" }] });
    const two = slice("web", ready("10.42.0.8"), { name: "b", ports: [{ name: "", port: 2, protocol: "TCP" }] });
    const values = Object.values(planned(web(), one, two, one).endpoints ?? {});
    assert.deepEqual(values, ["10.42.0.7 . 1", "10.42.0.8 . 2"]);
  });

  it("answers external and load-balancer addresses, save those of proxies", () => {
    const ingress = [{ ip: "203.0.113.1" }, { ip: "203.0.113.2", ipMode: "Proxy" }, { hostname: "lb.example.com" }];
    const one = web({ type: "LoadBalancer", externalIPs: ["198.51.100.1"] }, { loadBalancer: { ingress } });
    assert.deepEqual(Object.keys(planned(one, slice("web", ready("10.42.0.7"))).services ?? {}), [
      "10.96.0.1 . tcp . 80",
      "198.51.100.1 . tcp . 80",
      "203.0.113.1 . tcp . 80",
    ]);
  });

  it("opens node ports, but not what a change of type left behind", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    const endpoints = slice("web", ready("10.42.0.7"));
    assert.deepEqual(planned(web({ type: "NodePort", ports }), endpoints).nodePorts, { "tcp . 30080": "goto node_1" });
    assert.equal(planned(web({ type: "ClusterIP", ports }), endpoints).nodePorts, undefined);
  });

  const states: readonly (readonly [string, object, boolean])[] = [
    ["ready", { ready: true }, true],
    ["of unknown readiness", {}, true],
    ["not ready", { ready: false }, false],
    ["ending but serving, beside a ready one", { ready: false, serving: true, terminating: true }, false],
  ];
  for (const [what, conditions, taken] of states) {
    it(`${taken ? "takes" : "leaves out"} endpoints that are ${what}`, () => {
      const endpoints = [...ready("10.42.0.7"), { addresses: ["10.42.0.8"], conditions }];
      const values = Object.values(planned(web(), slice("web", endpoints)).endpoints ?? {});
      assert.equal(values.includes("10.42.0.8 . 8080"), taken);
    });
  }

  it("falls back on endpoints that serve while they end when none is ready", () => {
    const ending = { addresses: ["10.42.0.8"], conditions: { ready: false, serving: true, terminating: true } };
    const broken = { addresses: ["10.42.0.9"], conditions: { ready: false, serving: false, terminating: true } };
    const { endpoints } = planned(web(), slice("web", [ending, broken]));
    assert.deepEqual(endpoints, { "10.96.0.1 . tcp . 80 . 0": "10.42.0.8 . 8080" });
  });

  it("leaves IPv6 slices and slices without the port out", () => {
    const six = slice("web", ready("fd00::7"), { addressType: "IPv6" });
    const other = slice("web", ready("10.42.0.7"), { ports: [{ name: "other", port: 1, protocol: "TCP" }] });
    assert.deepEqual(Object.keys(planned(web(), six, other)), ["refused"]);
  });

  const hinted = (address: string, hints: Endpoint["hints"]): Endpoint => ({
    addresses: [address],
    conditions: { ready: true },
    nodeName: "other",
    ...(hints === undefined ? {} : { hints }),
  });
  const zone = (...names: readonly string[]) => ({ forZones: names.map((name) => ({ name })) });
  const nodes = (...names: readonly string[]) => ({ forNodes: names.map((name) => ({ name })) });
  const hints: readonly { readonly what: string; readonly own: Endpoint["hints"][]; readonly taken: string }[] = [
    { what: "those for its zone", own: [zone("here"), zone("there"), zone("there", "here")], taken: "13" },
    { what: "all where none is for its zone", own: [zone("there"), zone("there")], taken: "12" },
    { what: "all where one says nothing", own: [zone("here"), undefined], taken: "12" },
    { what: "those for the node", own: [nodes("node"), nodes("other")], taken: "1" },
    {
      what: "those for the node before those for its zone",
      own: [
        { ...nodes("node"), ...zone("here") },
        { ...nodes("other"), ...zone("here") },
      ],
      taken: "1",
    },
    {
      what: "those for its zone where none is for the node",
      own: [
        { ...nodes("x"), ...zone("here") },
        { ...nodes("y"), ...zone("there") },
      ],
      taken: "1",
    },
    { what: "all where one says nothing of nodes", own: [nodes("node"), undefined], taken: "12" },
  ];
  for (const { what, own, taken } of hints) {
    it(`takes, of endpoints with hints, ${what}`, () => {
      const endpoints = own.map((one, at) => hinted(`10.42.0.${at + 1}`, one));
      const found = Object.values(planned(web(), slice("web", endpoints)).endpoints ?? {});
      assert.equal(found.map((text) => text.split(" ")[0]?.split(".")[3]).join(""), taken);
    });
  }

  it("does not count the hints of endpoints that are not ready", () => {
    const ending = { addresses: ["10.42.0.9"], conditions: { ready: false, serving: true, terminating: true } };
    const { endpoints } = planned(web(), slice("web", [hinted("10.42.0.1", zone("here")), ending]));
    assert.deepEqual(endpoints, { "10.96.0.1 . tcp . 80 . 0": "10.42.0.1 . 8080" });
  });

  it("keeps to the node's own endpoints where the policy is Local, whatever the hints", () => {
    const own = ready("10.42.0.1").map((endpoint) => ({ ...endpoint, hints: zone("there") }));
    const one = web({ internalTrafficPolicy: "Local" });
    const { endpoints } = planned(one, slice("web", [...own, hinted("10.42.0.2", zone("here"))]));
    assert.deepEqual(endpoints, { "10.96.0.1 . tcp . 80 . 0": "10.42.0.1 . 8080" });
  });

  it("keeps an internal policy of Local to this node, and drops where others could answer", () => {
    const one = web({ internalTrafficPolicy: "Local" });
    const mixed = planned(one, slice("web", [...ready("10.42.0.7"), away("10.42.1.7")]));
    assert.deepEqual(mixed.endpoints, { "10.96.0.1 . tcp . 80 . 0": "10.42.0.7 . 8080" });
    assert.deepEqual(planned(one, slice("web", [away("10.42.1.7")])), { services: { "10.96.0.1 . tcp . 80": "drop" } });
    assert.deepEqual(planned(one), { refused: { "10.96.0.1 . tcp . 80": "" } });
  });

  it("keeps an external policy of Local to clients outside; clients inside have all endpoints", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    const one = web({ type: "NodePort", externalTrafficPolicy: "Local", ports });
    const mixed = planned(one, slice("web", [...ready("10.42.0.7"), away("10.42.1.7")]));
    assert.deepEqual(mixed.nodePorts, { "tcp . 30080": "goto node_2" });
    assert.deepEqual(mixed.localNodePorts, { "tcp . 30080": "goto node_local_1" });
    assert.equal(mixed.nodeEndpoints?.["tcp . 30080 . 4096"], "10.42.0.7 . 8080");
    assert.equal(mixed.services?.["10.96.0.1 . tcp . 80"], "goto service_2");
    const elsewhere = planned(one, slice("web", [away("10.42.1.7")]));
    assert.deepEqual(elsewhere.localNodePorts, { "tcp . 30080": "drop" });
    assert.equal(planned(one).localNodePorts, undefined);
  });

  it("has clients remembered where the Service has session affinity", () => {
    const clientIP = { timeoutSeconds: 11 };
    const ports = [{ port: 80, nodePort: 30080 }];
    const spec = { type: "NodePort", ports, sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP } };
    const plan = planned(web(spec), slice("web", ready("10.42.0.7")));
    assert.deepEqual(plan.affinities, { "10.96.0.1 . tcp . 80": "jump learn_12" });
    assert.deepEqual(plan.nodeAffinities, { "tcp . 30080": "jump learn_12" });
    assert.deepEqual(plan.stickyEndpoints, { "10.96.0.1 . tcp . 80 . a2a:7": "10.42.0.7 . 8080" });
    assert.deepEqual(plan.stickyNodeEndpoints, { "tcp . 30080 . a2a:7": "10.42.0.7 . 8080" });
    assert.deepEqual(plan.endpointIds, { "10.42.0.7": "a2a:7" });
  });

  it("fills the next power of two with more than 16 endpoints, and copes with thousands", () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `10.42.${n >> 8}.${n & 255}`);
    const plan = planned(web(), slice("web", ready(...many(17))));
    assert.equal(plan.services?.["10.96.0.1 . tcp . 80"], "goto service_32");
    assert.equal(Object.keys(plan.endpoints ?? {}).length, 32);
    const most = planned(web(), slice("web", ready(...many(3000))));
    assert.equal(most.services?.["10.96.0.1 . tcp . 80"], "goto service_1024");
    assert.equal(Object.keys(most.endpoints ?? {}).length, 1024);
  });
});
