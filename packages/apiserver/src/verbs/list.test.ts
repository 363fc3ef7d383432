import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "@skiff/api";
import { isJsonObject, type JsonObject, systemClock } from "@skiff/base";
import { openMemoryStore } from "@skiff/store";
import { adminUser, testServer } from "../fixtures/test-server.ts";

const { signal } = new AbortController();

async function setUp(names: readonly string[]) {
  const store = openMemoryStore({ clock: systemClock });
  const server = await testServer({ store });
  const transport = server.transport(adminUser);
  const place = { group: "", version: "v1", plural: "namespaces" };
  const create = (name: string) =>
    transport.send(
      { ...place, verb: "create", body: { metadata: { name, labels: { first: name.slice(0, 1) } } } },
      signal,
    );
  for (const name of names) await create(name);
  const list = (query: Record<string, string>) => transport.send({ ...place, verb: "list", query }, signal);
  return { store, server, create, list, transport, place };
}

const metadataOf = (list: JsonObject): JsonObject => (isJsonObject(list.metadata) ? list.metadata : {});
const namesOf = (list: JsonObject): unknown[] =>
  Array.isArray(list.items) ? list.items.map((item) => isJsonObject(item) && metadataOf(item).name) : [];

test("pages are of one revision, whatever happens between them", async () => {
  const { server, list, create } = await setUp(["a", "b", "c", "d", "e"]);
  await using _ = server;
  const first = await list({ limit: "2" });
  assert.deepEqual(namesOf(first), ["a", "b"]);
  assert.equal(metadataOf(first).remainingItemCount, 3);
  await create("bb");
  const second = await list({ limit: "2", continue: String(metadataOf(first).continue) });
  assert.deepEqual(namesOf(second), ["c", "d"]);
  assert.equal(metadataOf(second).resourceVersion, metadataOf(first).resourceVersion);
  assert.equal(metadataOf(second).remainingItemCount, 1);
  const third = await list({ limit: "2", continue: String(metadataOf(second).continue) });
  assert.deepEqual(namesOf(third), ["e"]);
  assert.equal(metadataOf(third).continue, undefined);
  assert.equal(metadataOf(third).remainingItemCount, undefined);
  assert.deepEqual(namesOf(await list({})), ["a", "b", "bb", "c", "d", "e"]);
});

test("a page whose revision is compacted is refused with a token to go on from the newest state", async () => {
  const { server, store, list, create } = await setUp(["a", "b", "c"]);
  await using _ = server;
  const first = await list({ limit: "1" });
  await create("aa");
  await store.compact(store.revision);
  const expired = await list({ limit: "1", continue: String(metadataOf(first).continue) }).catch(
    (error: unknown) => error,
  );
  assert.ok(expired instanceof StatusError);
  assert.equal(expired.code, 410);
  assert.equal(expired.reason, "Expired");
  const token = expired.status.metadata?.continue ?? "";
  assert.deepEqual(namesOf(await list({ continue: token })), ["b", "c"]);
});

test("selectors and revisions", async () => {
  const { server, list, create } = await setUp(["a", "ab", "b"]);
  await using _ = server;
  const before = String(metadataOf(await list({})).resourceVersion);
  await create("ac");
  const cases: readonly (readonly [query: Record<string, string>, expected: readonly string[] | number])[] = [
    [{ labelSelector: "first=a" }, ["a", "ab", "ac"]],
    [{ labelSelector: "first in (a,b)", limit: "2" }, ["a", "ab"]],
    [{ fieldSelector: "metadata.name=ab" }, ["ab"]],
    [{ fieldSelector: "metadata.name!=ab" }, ["a", "ac", "b"]],
    [{ fieldSelector: "status.phase=Active,metadata.name=b" }, ["b"]],
    [{ resourceVersion: "0" }, ["a", "ab", "ac", "b"]],
    [{ resourceVersion: before, resourceVersionMatch: "NotOlderThan" }, ["a", "ab", "ac", "b"]],
    [{ resourceVersion: before, resourceVersionMatch: "Exact" }, ["a", "ab", "b"]],
    [{ resourceVersion: "99999" }, 504],
    [{ resourceVersion: "x" }, 400],
    [{ continue: "nonsense" }, 400],
    [{ labelSelector: "a in (" }, 400],
    [{ fieldSelector: "spec.nope=1" }, 400],
    [{ resourceVersionMatch: "Exact" }, 422],
    [{ resourceVersion: "1", resourceVersionMatch: "Nearly" }, 422],
    [{ sendInitialEvents: "true" }, 422],
  ];
  for (const [query, expected] of cases) {
    const answer = await list(query).catch((error: unknown) => (error instanceof StatusError ? error.code : error));
    const found = isJsonObject(answer) ? namesOf(answer) : answer;
    assert.deepEqual(found, expected, JSON.stringify(query));
  }
});
