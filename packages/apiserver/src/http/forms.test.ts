import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

let setup: TestSetup;
const maps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string): JsonObject => ({ metadata: { name }, data: { a: "1" } });
const as = (kind: string, version = "v1") => `application/json;as=${kind};g=meta.k8s.io;v=${version}`;
const ask = (path: string, accept: string, more: { method?: string; body?: object } = {}) =>
  setup.call(path, { ...more, headers: { accept } });

before(async () => {
  setup = await testSetup();
  for (const name of ["a", "b"]) await setup.call(maps, { method: "POST", body: configMap(name) });
});
after(() => setup[Symbol.asyncDispose]());

const refused: readonly (readonly [what: string, path: string, accept: string, message: string])[] = [
  [
    "a list's metadata as one object's",
    maps,
    as("PartialObjectMetadata"),
    "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
  ],
  [
    "an object's metadata as a list's",
    `${maps}/a`,
    as("PartialObjectMetadataList"),
    "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
  ],
  [
    "a form that there is not",
    maps,
    as("Chart"),
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
  ],
  [
    "a watch in YAML",
    `${maps}?watch=1&timeoutSeconds=1`,
    "application/yaml;stream=watch",
    "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
  ],
];

for (const [what, path, accept, message] of refused) {
  test(`refused: ${what}`, async () => {
    const { status, json } = await ask(path, accept);
    assert.deepEqual([status, json.reason, json.message], [406, "NotAcceptable", message]);
  });
}

test("what makes no tables refuses to", async () => {
  const body = { spec: { resourceAttributes: { verb: "list", resource: "pods" } } };
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const { status, json } = await ask(path, as("Table"), { method: "POST", body });
  assert.deepEqual([status, json.reason], [406, "NotAcceptable"]);
  const taken = await ask(path, `${as("Table")},application/yaml`, { method: "POST", body });
  assert.deepEqual([taken.status, taken.headers["content-type"]], [201, "application/yaml"]);
  assert.match(taken.text, /allowed: true/);
});

test("who asks for what there is not changes nothing", async () => {
  assert.equal((await ask(maps, "text/html", { method: "POST", body: configMap("none") })).status, 406);
  assert.equal((await setup.call(`${maps}/none`)).status, 404);
  assert.equal((await ask(`${maps}/a`, "text/html", { method: "DELETE" })).status, 406);
  assert.equal((await setup.call(`${maps}/a`)).status, 200);
});

test("a table carries as much of the objects as is asked for", async () => {
  const row = async (include: string) => {
    const { rows } = (await ask(`${maps}/a?includeObject=${include}`, as("Table"))).json;
    return Array.isArray(rows) && isJsonObject(rows[0]) ? rows[0].object : undefined;
  };
  const kindOf = (value: unknown) => (isJsonObject(value) ? value.kind : value);
  assert.equal(kindOf(await row("")), "PartialObjectMetadata");
  assert.equal(kindOf(await row("Object")), "ConfigMap");
  assert.equal(await row("None"), null);
  const wrong = await ask(`${maps}/a?includeObject=All`, as("Table"));
  assert.deepEqual(
    [wrong.status, wrong.json.message],
    [
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
    ],
  );
});

test("a watch tells the columns of its tables once", async () => {
  const { text } = await ask(`${maps}?watch=1&timeoutSeconds=1`, as("Table", "v1beta1"));
  const events: JsonObject[] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const tables = events.map(({ object }) => (isJsonObject(object) ? object : {}));
  assert.deepEqual(
    tables.map(({ kind, apiVersion }) => [kind, apiVersion]),
    [
      ["Table", "meta.k8s.io/v1beta1"],
      ["Table", "meta.k8s.io/v1beta1"],
    ],
  );
  assert.ok(Array.isArray(tables[0]?.columnDefinitions));
  assert.equal(tables[1]?.columnDefinitions, null);
});

test("a bookmark is a table of one row, whose object says where the initial events end", async () => {
  const query = "watch=1&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true";
  const match = "resourceVersionMatch=NotOlderThan&includeObject=None";
  const { text } = await ask(`${maps}?${query}&${match}`, as("Table"));
  const [bookmark] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "BOOKMARK");
  const { rows, columnDefinitions, metadata } = bookmark.object;
  assert.equal(columnDefinitions, null);
  assert.deepEqual(Object.keys(metadata), ["resourceVersion"]);
  assert.equal(rows.length, 1);
  assert.deepEqual(rows[0].cells, ["", "", ""]);
  assert.deepEqual(rows[0].object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
});

test("deletions are answered in the form that is asked for", async () => {
  await setup.call(maps, { method: "POST", body: configMap("gone") });
  const { status, text } = await ask(`${maps}/gone`, "application/yaml", { method: "DELETE" });
  assert.equal(status, 200);
  assert.match(text, /^kind: Status\n/);
});

test("text is indented for people, or as the query says", async () => {
  const indented = async (query: string, agent = "client") => {
    const { text } = await setup.call(`${maps}/a${query}`, { headers: { "user-agent": agent } });
    return text.startsWith("{\n");
  };
  assert.equal(await indented(""), false);
  assert.equal(await indented("", "curl/8"), true);
  assert.equal(await indented("?pretty=true"), true);
  assert.equal(await indented("?pretty=T"), true);
  assert.equal(await indented("?pretty=yes"), false);
  assert.equal(await indented("?pretty=0", "curl/8"), false);
});

test("a watch says how far it came before it ends, where bookmarks are wanted", async () => {
  const { resourceVersion } = await setup
    .call(maps)
    .then(({ json }) => (isJsonObject(json.metadata) ? json.metadata : {}));
  const watched = (query: string) =>
    setup.call(`${maps}?watch=1&timeoutSeconds=3&resourceVersion=${resourceVersion}${query}`);
  const [marked, plain] = await Promise.all([watched("&allowWatchBookmarks=true"), watched("")]);
  assert.equal(plain.text, "");
  const event: JsonObject = JSON.parse(marked.text);
  assert.equal(event.type, "BOOKMARK");
  assert.ok(isJsonObject(event.object) && isJsonObject(event.object.metadata));
  assert.equal(event.object.metadata.resourceVersion, resourceVersion);
});

test("one object is watched by its address, too", async () => {
  const { text } = await setup.call("/api/v1/watch/namespaces/default/configmaps/a?timeoutSeconds=1&resourceVersion=0");
  const events: JsonObject[] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const names = events.map(
    ({ object }) => isJsonObject(object) && isJsonObject(object.metadata) && object.metadata.name,
  );
  assert.deepEqual(names, ["a"]);
});
