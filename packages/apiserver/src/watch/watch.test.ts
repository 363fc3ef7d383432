import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchEvent } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { openMemoryStore } from "@skiff/store";
import { adminUser, testServer } from "../fixtures/test-server.ts";

const { signal } = new AbortController();
const place = { group: "", version: "v1", plural: "namespaces" };

async function setUp(store = openMemoryStore({ clock: systemClock })) {
  const server = await testServer({ store });
  const transport = server.transport(adminUser);
  const create = async (name: string, labels: Record<string, string> = {}) =>
    await transport.send({ ...place, verb: "create", body: { metadata: { name, labels } } }, signal);
  const label = async (name: string, labels: Record<string, string | null>) =>
    await transport.send({ ...place, verb: "patch", name, patchType: "merge", body: { metadata: { labels } } }, signal);
  const remove = async (name: string) => {
    await transport.send({ ...place, verb: "delete", name }, signal);
    await transport.send(
      { ...place, verb: "update", name, subresource: "finalize", body: { metadata: { name }, spec: {} } },
      signal,
    );
  };
  /** The first `count` events, as `ADDED a`. */
  const watch = async (query: Record<string, string>, count: number) => {
    const told: string[] = [];
    for await (const event of transport.watch({ ...place, verb: "list", query }, signal)) {
      told.push(describe(event));
      if (told.length === count) break;
    }
    return told;
  };
  return { store, server, create, label, remove, watch };
}

function describe({ type, object }: WatchEvent): string {
  if (type === "BOOKMARK") return `${type} ${Object.keys(object.metadata.annotations ?? {}).join()}`;
  if (type === "ERROR") return type;
  const { name } = object.metadata;
  return `${type} ${typeof name === "string" ? name : ""}`;
}

test("from the present state, from a revision, with initial events and without", async () => {
  const { server, store, create, watch } = await setUp();
  await using _ = server;
  await create("a");
  const revision = String(store.revision);
  await create("b");
  assert.deepEqual(await watch({}, 2), ["ADDED a", "ADDED b"]);
  assert.deepEqual(await watch({ resourceVersion: "0" }, 2), ["ADDED a", "ADDED b"]);
  assert.deepEqual(await watch({ resourceVersion: revision }, 1), ["ADDED b"]);
  const initial = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" };
  assert.deepEqual(await watch(initial, 3), ["ADDED a", "ADDED b", "BOOKMARK k8s.io/initial-events-end"]);
  const later = watch({ ...initial, sendInitialEvents: "false" }, 1);
  await create("c");
  assert.deepEqual(await later, ["ADDED c"]);
});

test("a watch with a selector sees objects come and go as their labels change", async () => {
  const { server, store, create, label, remove, watch } = await setUp();
  await using _ = server;
  const revision = String(store.revision);
  await create("a", { app: "x" });
  await create("b", { app: "y" });
  await label("a", { more: "1" });
  await label("a", { app: "y" });
  await label("b", { app: "x" });
  await label("a", { app: null });
  await remove("b");
  const expected = ["ADDED a", "MODIFIED a", "DELETED a", "ADDED b", "MODIFIED b", "DELETED b"];
  assert.deepEqual(await watch({ labelSelector: "app=x", resourceVersion: revision }, 6), expected);
  assert.deepEqual(await watch({ fieldSelector: "metadata.name=b", resourceVersion: revision }, 2), [
    "ADDED b",
    "MODIFIED b",
  ]);
});

test("after a restart a watch resumes from the store's history, and goes on live", async () => {
  const store = openMemoryStore({ clock: systemClock });
  const first = await setUp(store);
  const revision = String(store.revision);
  await first.create("a");
  await first.label("a", { x: "1" });
  await first.server[Symbol.asyncDispose]();
  const { server, create, watch } = await setUp(store);
  await using _ = server;
  const events = watch({ resourceVersion: revision }, 3);
  await create("b");
  assert.deepEqual(await events, ["ADDED a", "MODIFIED a", "ADDED b"]);
});

test("history that is compacted is refused as too old", async () => {
  const store = openMemoryStore({ clock: systemClock });
  const first = await setUp(store);
  await first.create("a");
  await first.create("b");
  await first.server[Symbol.asyncDispose]();
  await store.compact(store.revision);
  const { server, watch } = await setUp(store);
  await using _ = server;
  await assert.rejects(watch({ resourceVersion: "1" }, 1), { code: 410, reason: "Expired" });
});

test("a watch from the future waits; initial events of the future are refused", async () => {
  const { server, store, create, watch } = await setUp();
  await using _ = server;
  const events = watch({ resourceVersion: String(store.revision + 1) }, 1);
  await create("a");
  await create("b");
  assert.deepEqual(await events, ["ADDED b"]);
  const future = { resourceVersion: "9999", sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
  await assert.rejects(watch(future, 1), { code: 504, reason: "Timeout" });
});
