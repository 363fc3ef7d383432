import assert from "node:assert/strict";
import { test } from "node:test";
import { type Service, ServiceCIDRs, type ServiceSpec, Services, StatusError } from "@skiff/api";
import { seededRandom, VirtualClock } from "@skiff/base";
import { fakeTable } from "../fixtures/fake-table.ts";
import { ServiceAllocator } from "./service-allocator.ts";

const service = (name: string, spec: ServiceSpec): Service => ({
  metadata: { name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec,
  status: {},
});

const allocator = (stored: readonly Service[] = [], serviceCidr = "10.96.0.0/16") =>
  new ServiceAllocator({
    table: fakeTable([[Services, stored]]),
    random: seededRandom(1),
    serviceCidr,
    nodePorts: [30000, 32767],
    clock: new VirtualClock(),
  });

const write = (pool: ServiceAllocator, next: Service, old?: Service): Service => {
  pool.reserve(next, old, { dryRun: false }).commit();
  return next;
};

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    assert(error instanceof StatusError);
    return error.message;
  }
  return "";
};

test("what is stored is not written into: an update of the status has the same spec", () => {
  const pool = allocator();
  const made = write(pool, service("web", { type: "ClusterIP", selector: { a: "b" }, ports: [{ port: 80 }] }));
  const spec = Object.freeze({ ...made.spec });
  const next = { ...made, spec, status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } };
  assert.deepEqual(write(pool, next, { ...made, spec }), next);
});

test("what kinds of Services are given", () => {
  const pool = allocator();
  const plain = write(pool, service("plain", { type: "ClusterIP", selector: { a: "b" }, ports: [{ port: 80 }] }));
  assert.match(plain.spec?.clusterIP ?? "", /^10\.96\.\d+\.\d+$/);
  assert.deepEqual(plain.spec?.clusterIPs, [plain.spec?.clusterIP]);
  assert.deepEqual([plain.spec?.ipFamilies, plain.spec?.ipFamilyPolicy], [["IPv4"], "SingleStack"]);
  assert.equal(plain.spec?.ports?.[0]?.nodePort, undefined);
  const headless = write(pool, service("headless", { type: "ClusterIP", clusterIP: "None", selector: { a: "b" } }));
  assert.deepEqual(headless.spec?.clusterIPs, ["None"]);
  const external = write(pool, service("external", { type: "ExternalName", externalName: "example.com" }));
  assert.equal(external.spec?.clusterIP, undefined);
  const dns = { port: 53, protocol: "UDP" };
  const node = write(pool, service("node", { type: "NodePort", ports: [dns, { port: 53, protocol: "TCP" }] }));
  const [udp, tcp] = node.spec?.ports ?? [];
  assert.ok(udp?.nodePort !== undefined && udp.nodePort >= 30086);
  assert.equal(tcp?.nodePort, udp.nodePort);
  const balanced = write(
    pool,
    service("balanced", { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: [{ port: 80 }] }),
  );
  assert.ok(balanced.spec?.healthCheckNodePort);
});

test("addresses and ports that cannot be had", () => {
  const kubernetes = service("kubernetes", { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"] });
  const web = service("web", { type: "NodePort", clusterIP: "10.96.3.4", ports: [{ port: 80, nodePort: 30080 }] });
  const pool = allocator([kubernetes, web]);
  const cases: readonly (readonly [ServiceSpec, RegExp])[] = [
    [{ clusterIP: "10.96.0.1" }, /failed to allocate IP 10\.96\.0\.1: provided IP is already allocated$/],
    [
      { clusterIP: "10.97.0.1" },
      /failed to allocate IP 10\.97\.0\.1: the provided network does not match the current range$/,
    ],
    [
      { type: "NodePort", ports: [{ port: 1, nodePort: 30080 }] },
      /^Service "x" is invalid: spec\.ports\[0\]\.nodePort: Invalid value: 30080: provided port is already allocated$/,
    ],
    [
      { type: "NodePort", ports: [{ port: 1, nodePort: 80 }] },
      /provided port is not in the valid range\. The range of valid ports is 30000-32767$/,
    ],
  ];
  for (const [spec, expected] of cases) {
    assert.match(
      messageOf(() => pool.reserve(service("x", spec), undefined, { dryRun: false })),
      expected,
    );
  }
});

test("what a write that failed or was a trial took is free again", () => {
  const pool = allocator();
  const wish = () =>
    service("wish", { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 1, nodePort: 31000 }] });
  pool.reserve(wish(), undefined, { dryRun: false }).rollback();
  pool.reserve(wish(), undefined, { dryRun: true }).commit();
  // The address is free, the port is not in range: neither stays taken.
  const half = service("half", { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 1, nodePort: 1 }] });
  assert.notEqual(
    messageOf(() => pool.reserve(half, undefined, { dryRun: false })),
    "",
  );
  const stored = write(pool, wish());
  assert.notEqual(
    messageOf(() => pool.reserve(service("b", { clusterIP: "10.96.0.9" }), undefined, { dryRun: false })),
    "",
  );
  pool.release(stored);
  write(pool, service("b", { clusterIP: "10.96.0.9" }));
});

test("changes keep what they leave out and free what the new type does not have", () => {
  const pool = allocator();
  const old = write(pool, service("web", { type: "NodePort", ports: [{ port: 80, protocol: "TCP" }] }));
  const port = old.spec?.ports?.[0]?.nodePort;
  const address = old.spec?.clusterIP ?? "";
  const kept = write(pool, service("web", { type: "NodePort", ports: [{ port: 80, protocol: "TCP" }] }), old);
  assert.deepEqual([kept.spec?.clusterIP, kept.spec?.ports?.[0]?.nodePort], [address, port]);
  const plain = write(
    pool,
    service("web", { type: "ClusterIP", ports: [{ port: 80, protocol: "TCP", nodePort: port }] }),
    kept,
  );
  assert.equal(plain.spec?.ports?.[0]?.nodePort, undefined);
  write(pool, service("other", { type: "NodePort", ports: [{ port: 1, nodePort: port }] }));
  const external = write(
    pool,
    service("web", { type: "ExternalName", clusterIP: address, externalName: "a.b" }),
    plain,
  );
  assert.equal(external.spec?.clusterIP, undefined);
  write(pool, service("third", { clusterIP: address }));
});

test("a range that is used up", () => {
  const pool = allocator([], "10.0.0.0/30");
  write(pool, service("a", {}));
  write(pool, service("b", {}));
  const full = messageOf(() => pool.reserve(service("c", {}), undefined, { dryRun: false }));
  assert.equal(full, "Internal error occurred: failed to allocate a serviceIP: range is full");
});

const range = (name: string, cidrs: string[], more: { readonly ready?: string; readonly leaves?: boolean } = {}) => ({
  metadata: {
    name,
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    ...(more.leaves === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  },
  spec: { cidrs },
  status: more.ready === undefined ? {} : { conditions: [{ type: "Ready", status: more.ready }] },
});

/** An allocator of the range 10.96.0.0/30, which has two addresses, and of others. */
const withRanges = (...ranges: readonly ReturnType<typeof range>[]) =>
  new ServiceAllocator({
    table: fakeTable([
      [Services, []],
      [ServiceCIDRs, ranges],
    ]),
    random: seededRandom(1),
    serviceCidr: "10.96.0.0/30",
    nodePorts: [30000, 32767],
    clock: new VirtualClock(),
  });

const given = (pool: ServiceAllocator, count: number): readonly (string | undefined)[] =>
  Array.from(
    { length: count },
    (_, at) => write(pool, service(`s${at}`, { ports: [{ port: 80 }] })).spec?.clusterIP,
  ).sort();

test("a second range gives addresses when the first has none left", () => {
  const pool = withRanges(range("kubernetes", ["10.96.0.0/30"]), range("more", ["10.98.0.0/30", "fd00::/120"]));
  assert.deepEqual(given(pool, 4), ["10.96.0.1", "10.96.0.2", "10.98.0.1", "10.98.0.2"]);
  assert.match(
    messageOf(() => given(pool, 1)),
    /range is full$/,
  );
  assert.match(
    messageOf(() => write(pool, service("x", { clusterIP: "10.98.0.3", ports: [{ port: 80 }] }))),
    /the provided IP \(10\.98\.0\.3\) is not in the valid range\. The range of valid IPs is 10\.98\.0\.0\/30$/,
  );
});

test("ranges that overlap give each address once", () => {
  const pool = withRanges(range("larger", ["10.96.0.0/29"]));
  assert.equal(new Set(given(pool, 6)).size, 6);
  assert.match(
    messageOf(() => given(pool, 1)),
    /range is full$/,
  );
});

const closed = [
  { what: "is not ready", one: range("more", ["10.98.0.0/30"], { ready: "False" }) },
  { what: "is being deleted", one: range("more", ["10.98.0.0/30"], { ready: "True", leaves: true }) },
  { what: "has no address to give", one: range("more", ["10.98.0.0/31"], { ready: "True" }) },
  { what: "is of the other family", one: range("more", ["fd00::/64"], { ready: "True" }) },
];

for (const { what, one } of closed) {
  test(`a range that ${what} gives none`, () => {
    const pool = withRanges(one);
    given(pool, 2);
    assert.match(
      messageOf(() => given(pool, 1)),
      /range is full$/,
    );
  });
}

test("the cluster's own range gives none while its object is being deleted, unless another one names it", () => {
  const leaving = range("kubernetes", ["10.96.0.0/30"], { leaves: true });
  assert.match(
    messageOf(() => given(withRanges(leaving), 1)),
    /range is full$/,
  );
  assert.equal(given(withRanges(leaving, range("again", ["10.96.0.0/30"])), 1).length, 1);
});
