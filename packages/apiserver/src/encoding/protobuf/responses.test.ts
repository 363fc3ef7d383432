import assert from "node:assert/strict";
import { request } from "node:https";
import { test } from "node:test";
import { decodeProtobuf, decodeWatchFrames, encodeProtobuf } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { type TestSetup, testSetup } from "../../fixtures/test-client.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const maps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string): JsonObject => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { name, labels: { empty: "" } },
  data: { key: "välue" },
});

interface Asked {
  readonly method?: string;
  readonly accept: string;
  readonly body?: JsonObject;
}

/** Sends a request with its body in protobuf, and gives the answer as it came. */
function ask(setup: TestSetup, path: string, { method = "GET", accept, body }: Asked) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; type: string; bytes: Buffer }>();
  const bytes = body === undefined ? undefined : encodeProtobuf(body);
  const headers = {
    accept,
    ...(bytes === undefined ? {} : { "content-type": protobuf, "content-length": bytes.length }),
  };
  const sent = request({ ...setup.place, path, method, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        type: response.headers["content-type"] ?? "",
        bytes: Buffer.concat(chunks),
      }),
    );
  });
  sent.on("error", reject).end(bytes);
  return promise;
}

const nameOf = ({ metadata }: JsonObject) => (isJsonObject(metadata) ? metadata.name : undefined);

test("objects, lists, refusals and deletions are spoken in protobuf with who prefers it", async () => {
  await using setup = await testSetup();
  const accept = `${protobuf},application/json`;
  const made = await ask(setup, maps, { method: "POST", accept, body: configMap("a") });
  assert.deepEqual([made.status, made.type], [201, protobuf]);
  const { kind, object } = decodeProtobuf(made.bytes);
  assert.equal(kind, "ConfigMap");
  assert.deepEqual(object, (await setup.call(`${maps}/a`)).json);

  const list = await ask(setup, maps, { accept });
  const json = (await setup.call(maps)).json;
  assert.equal(list.type, protobuf);
  assert.deepEqual(decodeProtobuf(list.bytes).object, json);

  const missing = await ask(setup, `${maps}/none`, { accept });
  assert.deepEqual([missing.status, missing.type], [404, protobuf]);
  const status = decodeProtobuf(missing.bytes).object;
  assert.deepEqual([status.kind, status.reason, status.code], ["Status", "NotFound", 404]);

  const options = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: "another" } };
  const kept = await ask(setup, `${maps}/a`, { method: "DELETE", accept, body: options });
  assert.equal(kept.status, 409);
  assert.equal((await ask(setup, `${maps}/a`, { method: "DELETE", accept })).status, 200);
});

test("metadata may be had in protobuf, tables fall back to what is accepted next", async () => {
  await using setup = await testSetup();
  await setup.call(maps, { method: "POST", body: configMap("a") });
  const partial = `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;
  const metadata = await ask(setup, maps, { accept: `${partial},application/json` });
  const { object, kind } = decodeProtobuf(metadata.bytes);
  assert.deepEqual([metadata.type, kind], [protobuf, "PartialObjectMetadataList"]);
  assert.ok(Array.isArray(object.items) && object.items.length === 1);

  const table = ";as=Table;g=meta.k8s.io;v=v1";
  const shown = await ask(setup, maps, { accept: `${protobuf}${table},application/json${table}` });
  assert.equal(shown.type, "application/json");
  assert.match(shown.bytes.toString(), /"kind":"Table"/);
  assert.equal((await ask(setup, maps, { accept: `${protobuf}${table}` })).status, 406);
});

test("a watch in protobuf is told in frames, its bookmarks too", async () => {
  await using setup = await testSetup();
  await setup.call(maps, { method: "POST", body: configMap("a") });
  const query =
    "watch=1&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  const watched = await ask(setup, `${maps}?${query}`, { accept: `${protobuf},application/json` });
  assert.equal(watched.type, `${protobuf};stream=watch`);
  const { frames, rest } = decodeWatchFrames(watched.bytes);
  assert.equal(rest.length, 0);
  const told = frames.map(({ type, envelope }) => [type, nameOf(decodeProtobuf(envelope).object)]);
  assert.deepEqual(told, [
    ["ADDED", "a"],
    ["BOOKMARK", undefined],
  ]);
});
