import assert from "node:assert/strict";
import { test } from "node:test";
import { IPAddresses, Services } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { openMemoryStore, prefixRange } from "@skiff/store";
import { adminUser, testServer } from "../fixtures/test-server.ts";
import { addressKey, nodePortKey, nodePortPrefix } from "./service-claims.ts";

const context = {
  user: adminUser,
  fieldManager: "test",
  dryRun: false,
  fieldValidation: "Strict",
  warn: () => {},
} as const;
const namespace = "default";
const ports = (nodePort?: number) => [
  { name: "udp", port: 53, protocol: "UDP", nodePort },
  { name: "tcp", port: 53, protocol: "TCP", nodePort },
];

async function setUp() {
  const store = openMemoryStore({ clock: systemClock });
  const server = await testServer({ store });
  const { table } = server;
  const signal = new AbortController().signal;
  const place = { group: "", version: "v1", plural: "namespaces", verb: "create" } as const;
  await server.transport(adminUser).send({ ...place, body: { metadata: { name: namespace } } }, signal);
  const services = table.of(Services);
  const metadata = (name: string) => ({ name, namespace, uid: "", resourceVersion: "", creationTimestamp: "" });
  return {
    store,
    server,
    services,
    create: (name: string, spec: object) => services.create({ metadata: metadata(name), ...{ spec } }, context),
    addresses: () => table.of(IPAddresses).peekAll(),
    nodePorts: async () => {
      const { entries } = await store.range(prefixRange(nodePortPrefix));
      return entries.map(({ key, value }) => `${key.slice(nodePortPrefix.length)} ${Buffer.from(value)}`);
    },
  };
}

test("a Service's address and ports are claimed with it, and given up with it", async () => {
  const { store, server, services, create, addresses, nodePorts } = await setUp();
  await using _server = server;
  const made = await create("dns", { type: "NodePort", clusterIP: "10.96.0.10", ports: ports(30053) });
  const [address] = addresses();
  assert.equal(address?.metadata.name, "10.96.0.10");
  assert.deepEqual(address.metadata.labels, {
    "ipaddress.kubernetes.io/ip-family": "IPv4",
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
  });
  assert.deepEqual(address.spec?.parentRef, { group: "", resource: "services", namespace, name: "dns" });
  assert.equal(address.metadata.resourceVersion, made.metadata.resourceVersion);
  assert.deepEqual(await nodePorts(), ["30053 default/dns"]);
  const ref = { namespace, name: "dns" };
  const change = { type: "ClusterIP", clusterIP: "10.96.0.10", ports: [{ port: 53, protocol: "UDP" }] };
  await services.modify(ref, (now) => ({ ...now, spec: change }), context);
  assert.deepEqual([addresses().length, await nodePorts()], [1, []]);
  const before = store.revision;
  await services.delete(ref, {}, context);
  assert.deepEqual([addresses().length, store.revision], [0, before + 1]);
});

test("what somebody else has claimed is not handed out", async () => {
  const { store, server, create, addresses, nodePorts } = await setUp();
  await using _server = server;
  const operations = [{ kind: "put", key: nodePortKey(30100), value: Buffer.from("other/web") }] as const;
  await store.commit({ compare: [], operations });
  // A port that another server has just taken: known by the claim alone, so that no attempt helps.
  await assert.rejects(create("web", { type: "NodePort", ports: [{ port: 80, nodePort: 30100 }] }));
  assert.deepEqual([addresses().length, (await nodePorts()).length], [0, 1]);
  const free = await create("web", { type: "NodePort", ports: [{ port: 80 }] });
  assert.notEqual(free.spec?.ports?.[0]?.nodePort, 30100);
});

test("a server mends claims when it starts", async () => {
  const { store, server, create, addresses } = await setUp();
  const web = await create("web", { type: "NodePort", ports: [{ port: 80 }] });
  await create("lost", { type: "ClusterIP", clusterIP: "10.96.0.77", ports: [{ port: 80 }] });
  const [ip = "", port = 0] = [web.spec?.clusterIP, web.spec?.ports?.[0]?.nodePort];
  await server[Symbol.asyncDispose]();
  const remove = (key: string) => ({ kind: "delete", key }) as const;
  const operations = [
    remove(addressKey(ip)),
    remove(nodePortKey(port)),
    remove("/registry/core/services/default/lost"),
    { kind: "put", key: nodePortKey(31000), value: Buffer.from("default/lost") } as const,
  ];
  await store.commit({ compare: [], operations });
  await using again = await testServer({ store });
  assert.deepEqual(
    again.table
      .of(IPAddresses)
      .peekAll()
      .map(({ metadata }) => metadata.name),
    [ip],
  );
  const { entries } = await store.range(prefixRange(nodePortPrefix));
  assert.deepEqual(
    entries.map(({ key }) => key),
    [nodePortKey(port)],
  );
  assert.equal(addresses().length, 2);
});
