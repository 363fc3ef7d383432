import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, Jobs, type KubeObject, Pods, ReplicationControllers, StatusError } from "@skiff/api";
import { type JsonObject, VirtualClock } from "@skiff/base";
import { openMemoryStore } from "@skiff/store";
import { ServedObject } from "../cache/served-object.ts";
import type { DeleteRequest, WriteContext } from "../contracts.ts";
import { asJson, asObject } from "../encoding/object-json.ts";
import { adminUser, testServer } from "../fixtures/test-server.ts";

const context: WriteContext = {
  user: adminUser,
  fieldManager: "test",
  dryRun: false,
  fieldValidation: "Strict",
  warn: () => {},
};
const { signal } = new AbortController();

async function setUp() {
  const clock = new VirtualClock();
  const store = openMemoryStore({ clock });
  const server = await testServer({ store, clock });
  const transport = server.transport(adminUser);
  const core = { group: "", version: "v1", verb: "create" } as const;
  await transport.send({ ...core, plural: "namespaces", body: { metadata: { name: "default" } } }, signal);
  const account = { ...core, plural: "serviceaccounts", namespace: "default" };
  await transport.send({ ...account, body: { metadata: { name: "default" } } }, signal);
  return { clock, store, server, maps: server.table.of(ConfigMaps), pods: server.table.of(Pods) };
}

const configMap = (name: string, more: JsonObject = {}): KubeObject =>
  asObject({ metadata: { name, namespace: "default", ...more }, data: { a: "1" } });
const pod = (name: string, spec: JsonObject = {}, metadata: JsonObject = {}): KubeObject =>
  asObject({
    metadata: { name, namespace: "default", ...metadata },
    spec: { containers: [{ name: "c", image: "x" }], ...spec },
  });
const refused = (code: number, reason: string) => (error: unknown) => {
  assert.ok(error instanceof StatusError);
  assert.equal(`${error.code} ${error.reason}`, `${code} ${reason}`);
  return true;
};
const ref = (name: string) => ({ namespace: "default", name });

test("a new object gets what the server decides, and is shared frozen", async () => {
  const { server, maps, store } = await setUp();
  await using _ = server;
  const made = await maps.create(configMap("a", { uid: "mine", generation: 7 }), context);
  assert.equal(made.kind, "ConfigMap");
  assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.equal(made.metadata.creationTimestamp, "2026-01-01T00:00:00Z");
  assert.equal(made.metadata.resourceVersion, String(store.revision));
  assert.equal(made.metadata.generation, undefined);
  assert.equal(made.metadata.managedFields?.[0]?.manager, "test");
  assert.ok(Object.isFrozen(made.metadata));
  assert.equal(await maps.get(ref("a")), made);
  await assert.rejects(maps.create(configMap("a"), context), refused(409, "AlreadyExists"));
  await assert.rejects(maps.create(configMap("a", { resourceVersion: "1" }), context), refused(500, ""));
  await assert.rejects(maps.create(configMap("B!", { resourceVersion: "1" }), context), refused(422, "Invalid"));
  const unversioned = await maps.create(configMap("b", { resourceVersion: "0" }), context);
  assert.equal(unversioned.metadata.resourceVersion, String(store.revision));
  await assert.rejects(maps.create(configMap("B!"), context), refused(422, "Invalid"));
});

test("names are generated, and in a dry run nothing is kept", async () => {
  const { server, maps, store } = await setUp();
  await using _ = server;
  const made = await maps.create(asObject({ metadata: { generateName: "web-", namespace: "default" } }), context);
  assert.match(made.metadata.name, /^web-[a-z0-9]{5}$/);
  const before = store.revision;
  const dry = await maps.create(configMap("dry"), { ...context, dryRun: true });
  assert.equal(dry.metadata.resourceVersion, undefined);
  assert.equal(maps.peek(ref("dry")), undefined);
  assert.equal(store.revision, before);
});

test("updates: conflicts, nothing changed, system fields", async () => {
  const { server, maps, store } = await setUp();
  await using _ = server;
  const first = await maps.create(configMap("a"), context);
  const second = await maps.modify(ref("a"), (map) => ({ ...map, data: { a: "2" } }), context);
  assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
  const stale = () => maps.modify(ref("a"), () => ({ ...first, data: { a: "3" } }), context);
  await assert.rejects(stale(), refused(409, "Conflict"));
  const before = store.revision;
  const same = await maps.modify(ref("a"), (map) => ({ ...map, data: { a: "2" } }), context);
  assert.equal(same, second);
  assert.equal(store.revision, before);
  const other = { ...second.metadata, uid: "other" };
  await assert.rejects(
    maps.modify(ref("a"), (map) => ({ ...map, metadata: other }), context),
    refused(409, "Conflict"),
  );
  await assert.rejects(
    maps.modify(ref("none"), (map) => map, context),
    refused(404, "NotFound"),
  );
});

test("versions of an object share what they have in common, whatever made them", async () => {
  const { server, pods } = await setUp();
  await using _ = server;
  const made = await pods.create(pod("p", { nodeName: "n" }, { labels: { a: "b" } }), context);
  const status = { conditions: [{ type: "Seen", status: "True" }] };
  const seen = await pods.modify(ref("p"), (one) => ({ ...one, status }), { ...context, subresource: "status" });
  assert.equal(seen.status?.conditions?.[0]?.type, "Seen");
  assert.equal(seen.spec, made.spec);
  assert.equal(seen.metadata.labels, made.metadata.labels);
  const patch = { metadata: { annotations: { c: "d" } } };
  const place = { group: "", version: "v1", plural: "pods", namespace: "default", name: "p" };
  const sent = { ...place, verb: "patch", patchType: "strategic", body: patch } as const;
  await server.transport(adminUser).send(sent, signal);
  const patched = await pods.get(ref("p"));
  assert.deepEqual([patched.metadata.annotations, patched.spec === made.spec], [{ c: "d" }, true]);
  assert.equal(patched.status, seen.status);
  const { object, gone } = await pods.delete(ref("p"), { gracePeriodSeconds: 5 }, context);
  assert.deepEqual([object.metadata.deletionGracePeriodSeconds, gone, object.spec === made.spec], [5, false, true]);
});

test("what binds a pod changes its place and nothing else, and owns no field", async () => {
  const { server, store } = await setUp();
  await using _ = server;
  const place = { group: "", version: "v1", plural: "pods", namespace: "default" };
  const transport = server.transport(adminUser);
  const made = asObject(await transport.send({ ...place, verb: "create", body: asJson(pod("p")) }, signal));
  const body = { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: "n" } };
  await transport.send({ ...place, name: "p", subresource: "binding", verb: "create", body }, signal);
  const bound = await server.table.of(Pods).get(ref("p"));
  assert.equal(bound.spec?.nodeName, "n");
  const { resourceVersion: _old, ...before } = made.metadata;
  const { resourceVersion, ...after } = bound.metadata;
  assert.deepEqual(after, before);
  assert.equal(resourceVersion, String(store.revision));
});

test("what is deleted is shown as it was last, with the revision of its end", async () => {
  const { server, maps, store } = await setUp();
  await using _ = server;
  const made = await maps.create(configMap("a"), context);
  const { object, gone } = await maps.delete(ref("a"), {}, context);
  const metadata = { ...made.metadata, resourceVersion: String(store.revision) };
  assert.deepEqual([object, gone], [{ ...made, metadata }, true]);
  assert.ok(Object.isFrozen(object.metadata));
  const last = ServedObject.fromObject(made, 1).at(7);
  assert.deepEqual(JSON.parse(last.json.toString()), { ...made, metadata: { ...made.metadata, resourceVersion: "7" } });
  assert.deepEqual(JSON.parse(last.at(9).json.toString()), last.at(9).object);
});

test("of many writers at the same time none is lost", async () => {
  const { server, maps } = await setUp();
  await using _ = server;
  await maps.create(configMap("a"), context);
  const write = (index: number) =>
    maps.modify(ref("a"), (map) => ({ ...map, data: { ...map.data, [`k${index}`]: "x" } }), context);
  await Promise.all(Array.from({ length: 20 }, (_unused, index) => write(index)));
  const { data = {} } = await maps.get(ref("a"));
  assert.equal(Object.keys(data).length, 21);
});

test("pods end in their own time", async () => {
  const { server, pods, clock } = await setUp();
  await using _ = server;
  await pods.create(pod("waiting"), context);
  assert.equal((await pods.delete(ref("waiting"), {}, context)).gone, true);

  await pods.create(pod("placed", { nodeName: "n" }), context);
  const marked = await pods.delete(ref("placed"), {}, context);
  assert.equal(marked.gone, false);
  assert.equal(marked.object.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(marked.object.metadata.deletionTimestamp, "2026-01-01T00:00:30Z");
  await clock.advance(5_000);
  const again = await pods.delete(ref("placed"), {}, context);
  assert.equal(again.object.metadata.deletionTimestamp, "2026-01-01T00:00:30Z");
  const sooner = await pods.delete(ref("placed"), { gracePeriodSeconds: 10 }, context);
  assert.equal(sooner.object.metadata.deletionTimestamp, "2026-01-01T00:00:10Z");
  const uid = marked.object.metadata.uid;
  const wrong = { gracePeriodSeconds: 0, preconditions: { uid: "other" } };
  await assert.rejects(pods.delete(ref("placed"), wrong, context), refused(409, "Conflict"));
  const last = await pods.delete(ref("placed"), { gracePeriodSeconds: 0, preconditions: { uid } }, context);
  assert.equal(last.gone, true);
  assert.equal(pods.peek(ref("placed")), undefined);
});

test("finalizers hold an object until they are gone", async () => {
  const { server, maps } = await setUp();
  await using _ = server;
  await maps.create(configMap("a", { finalizers: ["example.com/hold"] }), context);
  const held = await maps.delete(ref("a"), {}, context);
  assert.equal(held.gone, false);
  assert.ok(held.object.metadata.deletionTimestamp);
  const release = (finalizers: string[]) =>
    maps.modify(ref("a"), (map) => ({ ...map, metadata: { ...map.metadata, finalizers } }), context);
  await assert.rejects(release(["example.com/hold", "example.com/more"]), refused(422, "Invalid"));
  await release([]);
  assert.equal(maps.peek(ref("a")), undefined);

  await maps.create(configMap("b"), context);
  const foreground = await maps.delete(ref("b"), { propagationPolicy: "Foreground" }, context);
  assert.deepEqual(foreground.object.metadata.finalizers, ["foregroundDeletion"]);
  const orphaned = await maps.delete(ref("b"), { propagationPolicy: "Orphan" }, context);
  assert.deepEqual(orphaned.object.metadata.finalizers, ["orphan"]);
});

test("dependents of Jobs and ReplicationControllers stay where nothing is said of them", async () => {
  const { server } = await setUp();
  await using _ = server;
  const template = (restartPolicy: string) => ({
    metadata: { labels: { app: "a" } },
    spec: { restartPolicy, containers: [{ name: "c", image: "i" }] },
  });
  const make = (name: string, finalizers?: string[]) =>
    asObject({
      metadata: { name, namespace: "default", ...(finalizers && { finalizers }) },
      spec: { template: template("Never") },
    });
  const jobs = server.table.of(Jobs);
  const left = async (name: string, request: DeleteRequest, finalizers?: string[]) => {
    await jobs.create(make(name, finalizers), context);
    const { gone, object } = await jobs.delete(ref(name), request, context);
    return gone ? "gone" : object.metadata.finalizers;
  };
  assert.deepEqual(await left("a", {}), ["orphan"]);
  assert.deepEqual(await left("b", {}, ["foregroundDeletion"]), ["foregroundDeletion"]);
  assert.deepEqual(await left("c", { propagationPolicy: "Background" }), "gone");
  const controllers = server.table.of(ReplicationControllers);
  await controllers.create(asObject({ metadata: ref("a"), spec: { template: template("Always") } }), context);
  const { object } = await controllers.delete(ref("a"), {}, context);
  assert.deepEqual(object.metadata.finalizers, ["orphan"]);
});

test("status and spec are written apart", async () => {
  const { server, pods } = await setUp();
  await using _ = server;
  await pods.create(pod("a"), context);
  const running = await pods.modify(
    ref("a"),
    (old) => ({ ...old, status: { ...old.status, phase: "Running" }, spec: { ...old.spec, nodeName: "n" } }),
    { ...context, subresource: "status" },
  );
  assert.equal(running.status?.phase, "Running");
  assert.equal(running.spec.nodeName, undefined);
  assert.equal(running.metadata.generation, 1);
  const labelled = await pods.modify(
    ref("a"),
    (old) => ({ ...old, status: { phase: "Failed" }, metadata: { ...old.metadata, labels: { a: "b" } } }),
    context,
  );
  assert.equal(labelled.status?.phase, "Running");
  assert.deepEqual(labelled.metadata.labels, { a: "b" });
});

test("what was written is there after a restart", async () => {
  const { server, maps, store } = await setUp();
  const made = await maps.create(configMap("a"), context);
  await server[Symbol.asyncDispose]();
  await using again = await testServer({ store });
  assert.deepEqual(await again.table.of(ConfigMaps).get(ref("a")), made);
});

test("events end after an hour", async () => {
  const { server, clock } = await setUp();
  await using _ = server;
  const transport = server.transport(adminUser);
  const place = { group: "", version: "v1", plural: "events", namespace: "default" };
  const body = {
    metadata: { name: "e" },
    involvedObject: { kind: "Pod", name: "p", namespace: "default" },
    reason: "Test",
    message: "m",
    type: "Normal",
  };
  await transport.send({ ...place, verb: "create", body }, signal);
  await clock.advance(59 * 60_000);
  await transport.send({ ...place, verb: "get", name: "e" }, signal);
  await clock.advance(3 * 60_000);
  await assert.rejects(transport.send({ ...place, verb: "get", name: "e" }, signal), refused(404, "NotFound"));
});
