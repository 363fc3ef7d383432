import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMaps, isNotFound, StatusError } from "@skiff/api";
import { systemClock } from "@skiff/base";
import { TestCluster } from "@skiff/testing";
import { createClient } from "../create-client.ts";
import { httpsTransport } from "./https-transport.ts";

const namespace = "default";
const named = (name: string) => ({ metadata: { name, namespace } });

test("all verbs work over HTTP/2, objects come back frozen, refusals as StatusError", async () => {
  await using cluster = await TestCluster.start();
  const { signal } = cluster;
  await using transport = httpsTransport({ ...(await cluster.listen()), clock: systemClock });
  const client = createClient(transport);
  const made = await client.create(ConfigMaps, { ...named("a"), data: { k: "v" } }, { signal });
  assert.throws(() => Object.assign(made.data ?? {}, { k: "w" }), TypeError);
  const changed = await client.update(ConfigMaps, { ...made, data: { k: "w" } }, { signal });
  const patched = await client.patch(ConfigMaps, changed.metadata, { data: { l: "x" } }, { type: "merge", signal });
  assert.deepEqual(patched.data, { k: "w", l: "x" });
  const stale = client.update(ConfigMaps, { ...made, data: { k: "y" } }, { signal });
  await assert.rejects(stale, (error) => error instanceof StatusError && error.reason === "Conflict");
  assert.equal((await client.list(ConfigMaps, { namespace, labelSelector: "no=such", signal })).items.length, 0);
  await client.delete(ConfigMaps, made.metadata, { preconditions: { uid: made.metadata.uid }, signal });
  assert.equal(await client.get(ConfigMaps, made.metadata, { signal }).catch(isNotFound), true);
});

test("a watch tells what happens, ends when its interest does, and does not disturb other requests", async () => {
  await using cluster = await TestCluster.start();
  const { signal } = cluster;
  await using transport = httpsTransport({ ...(await cluster.listen()), clock: systemClock });
  const client = createClient(transport);
  const { metadata } = await client.list(ConfigMaps, { namespace, signal });
  const stop = new AbortController();
  const from = { resourceVersion: metadata.resourceVersion ?? "" };
  const seen: string[] = [];
  const watching = async () => {
    for await (const event of client.watch(ConfigMaps, { namespace, ...from, signal: stop.signal })) {
      if (event.type === "BOOKMARK" || event.type === "ERROR") continue;
      seen.push(`${event.type} ${event.object.metadata.name}`);
      if (event.type === "DELETED") stop.abort();
    }
  };
  const ended = assert.rejects(watching, (error) => error === stop.signal.reason);
  await client.create(ConfigMaps, { ...named("b"), data: { text: "é".repeat(100_000) } }, { signal });
  await client.delete(ConfigMaps, named("b").metadata, { signal });
  await ended;
  assert.deepEqual(seen, ["ADDED b", "DELETED b"]);
  assert.ok((await client.list(ConfigMaps, { namespace, signal })).items.length > 0);
});

test("an unreachable, a foreign and a closed server are not available; an abort stays an abort", async () => {
  await using cluster = await TestCluster.start();
  const { signal } = cluster;
  const address = await cluster.listen();
  const { ca } = await cluster.listen();
  const unavailable = (error: unknown) => error instanceof StatusError && error.code === 503;
  const attempt = async (options: { readonly endpoint: string; readonly ca: string }) => {
    await using transport = httpsTransport({ ...address, ...options, clock: systemClock });
    await createClient(transport).list(ConfigMaps, { signal });
  };
  await attempt(address);
  await assert.rejects(attempt({ ...address, endpoint: "https://127.0.0.1:1" }), unavailable);
  await assert.rejects(attempt({ ...address, ca }), unavailable);
  await using transport = httpsTransport({ ...address, clock: systemClock });
  const stop = new AbortController();
  stop.abort();
  const aborted = createClient(transport).list(ConfigMaps, { signal: stop.signal });
  await assert.rejects(aborted, (error) => error === stop.signal.reason);
});
