import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { conditionsOf, cronTab, cronTabs, define, definitions, tabs, until } from "../fixtures/custom-definitions.ts";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

test("a custom resource's life", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  assert.equal((await call(tabs)).status, 404);
  await define(setup, cronTabs());
  const { json } = await call(`${definitions}/crontabs.stable.example.com`);
  assert.deepEqual(conditionsOf(json), {
    NamesAccepted: "True NoConflicts",
    Established: "True InitialNamesAccepted",
  });
  const made = await call(tabs, { method: "POST", body: cronTab("a", { cronSpec: "* * * * */5", unknown: 1 }) });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.warning, '299 - "unknown field \\"spec.unknown\\""');
  assert.deepEqual(made.json.spec, { cronSpec: "* * * * */5", replicas: 1 });
  assert.equal((await call(`${tabs}/a`)).text, made.text);
  const list = await call(tabs);
  assert.equal(list.json.kind, "CronTabList");
  const bad = await call(`${tabs}/a`, {
    method: "PATCH",
    body: { spec: { cronSpec: "x", replicas: 11, image: 3 } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  assert.equal(bad.status, 422);
  assert.equal(
    bad.json.message,
    'CronTab.stable.example.com "a" is invalid: [spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match \'^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$\', spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10, spec.image: Invalid value: "integer": spec.image in body must be of type string: "integer"]',
  );
  const removed = await call(`${definitions}/crontabs.stable.example.com`, { method: "DELETE" });
  assert.equal(removed.json.kind, "CustomResourceDefinition");
  await until(async () => (await call(`${definitions}/crontabs.stable.example.com`)).status === 404);
  assert.equal((await call(tabs)).status, 404);
  await define(setup, cronTabs());
  assert.deepEqual((await call(tabs)).json.items, []);
});

const cronTabsName = "crontabs.stable.example.com";
const patchType = (type: string) => ({ "content-type": `application/${type}` });
const merge = (body: object) => ({ method: "PATCH", body, headers: patchType("merge-patch+json") });
const create = (body: object) => ({ method: "POST", body });

const everything: JsonObject = {
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.labelSelector",
    },
  },
  additionalPrinterColumns: [
    { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
    { name: "Ports", type: "string", jsonPath: ".spec.ports", priority: 1 },
    { name: "Made", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [{ jsonPath: ".spec.image" }],
};

test("status, scale, generation, columns, selectable fields", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs(everything));
  const body = {
    ...cronTab("a", { cronSpec: "* * * * *", image: "x", ports: [{ port: 1 }] }),
    status: { replicas: 9 },
  };
  const made = await call(tabs, create(body));
  assert.equal(made.json.status, undefined);
  const generation = async () => {
    const { metadata } = (await call(`${tabs}/a`)).json;
    return isJsonObject(metadata) ? metadata.generation : undefined;
  };
  assert.equal(await generation(), 1);
  const status = await call(
    `${tabs}/a/status`,
    merge({ spec: { replicas: 5 }, status: { replicas: 2, labelSelector: "a=b" } }),
  );
  assert.deepEqual([status.json.spec, status.json.status], [made.json.spec, { replicas: 2, labelSelector: "a=b" }]);
  assert.equal(await generation(), 1);
  const scale = await call(`${tabs}/a/scale`);
  assert.equal(scale.json.apiVersion, "autoscaling/v1");
  assert.deepEqual([scale.json.spec, scale.json.status], [{ replicas: 1 }, { replicas: 2, selector: "a=b" }]);
  assert.equal((await call(`${tabs}/a/scale`, merge({ spec: { replicas: 4 } }))).status, 200);
  assert.equal(await generation(), 2);
  const tooMany = await call(`${tabs}/a/scale`, merge({ spec: { replicas: 40 } }));
  assert.match(String(tooMany.json.message), /spec.replicas in body should be less than or equal to 10/);
  await call(tabs, create(cronTab("b", { image: "y" })));
  const names = async (query: string) => {
    const { items } = (await call(`${tabs}?${query}`)).json;
    return Array.isArray(items)
      ? items.map((item) => isJsonObject(item) && isJsonObject(item.metadata) && item.metadata.name)
      : [];
  };
  assert.deepEqual(await names("fieldSelector=spec.image%3Dx"), ["a"]);
  assert.equal(
    (await call(`${tabs}?fieldSelector=spec.other%3Dx`)).json.message,
    "field label not supported: spec.other",
  );
  const table = await call(tabs, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
  const columns = Array.isArray(table.json.columnDefinitions) ? table.json.columnDefinitions : [];
  assert.deepEqual(
    columns.map((column) => isJsonObject(column) && [column.name, column.type, column.priority]),
    [
      ["Name", "string", 0],
      ["Spec", "string", 0],
      ["Ports", "string", 1],
      ["Made", "date", 0],
    ],
  );
  const [row] = Array.isArray(table.json.rows) ? table.json.rows : [];
  assert.ok(isJsonObject(row) && Array.isArray(row.cells));
  assert.deepEqual(row.cells.slice(0, 3), ["a", "* * * * *", '[{"port":1}]']);
  const strategic = await call(`${tabs}/a`, {
    method: "PATCH",
    body: {},
    headers: patchType("strategic-merge-patch+json"),
  });
  assert.equal(strategic.status, 415);
  assert.match(String(strategic.json.message), /merge-patch\+json, application\/apply-patch\+yaml$/);
});

test("a status that is dropped on creation still has its defaults when it is read", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const conditions = { type: "array", items: { type: "object", properties: { type: { type: "string" } } } };
  const status = { type: "object", default: { conditions: [{ type: "Accepted" }] }, properties: { conditions } };
  const schema = { openAPIV3Schema: { type: "object", properties: { status } } };
  await define(setup, cronTabs({ schema, subresources: { status: {} } }));
  const made = await call(tabs, create({ ...cronTab("a"), status: { conditions: [] } }));
  assert.deepEqual(made.json.status, { conditions: [{ type: "Accepted" }] });
  assert.deepEqual((await call(`${tabs}/a`)).json, made.json);
});

test("server-side apply merges by the schema's list types", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs(everything));
  const apply = (manager: string, ports: JsonObject[], more: JsonObject = {}) =>
    call(`${tabs}/a?fieldManager=${manager}`, {
      method: "PATCH",
      body: { ...cronTab("a", { ports, ...more }) },
      headers: patchType("apply-patch+yaml"),
    });
  assert.equal((await apply("one", [{ port: 1, name: "x" }])).status, 201);
  const second = await apply("two", [{ port: 2, name: "y" }]);
  assert.ok(isJsonObject(second.json.spec));
  assert.deepEqual(second.json.spec.ports, [
    { port: 1, name: "x" },
    { port: 2, name: "y" },
  ]);
  const conflict = await apply("two", [{ port: 1, name: "z" }]);
  assert.equal(conflict.status, 409);
  const unknown = await apply("two", [], { nope: 1 });
  assert.match(String(unknown.json.message), /\.spec\.nope: field not declared in schema/);
});

test("a schema that changes: watches end, stored objects take its form, what is invalid may stay", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs());
  await call(tabs, create(cronTab("a", { cronSpec: "* * * * *", image: "long" })));
  const watch = call(`${tabs}?watch=true`);
  const { json } = await call(`${definitions}/${cronTabsName}`);
  const changed = cronTabs();
  const spec = isJsonObject(changed.spec) ? changed.spec : {};
  const [version] = Array.isArray(spec.versions) ? spec.versions : [];
  assert.ok(isJsonObject(version));
  version.schema = {
    openAPIV3Schema: {
      type: "object",
      properties: {
        spec: {
          type: "object",
          properties: { image: { type: "string", maxLength: 2 }, added: { type: "string", default: "new" } },
        },
      },
    },
  };
  const updated = await call(`${definitions}/${cronTabsName}`, { method: "PUT", body: { ...json, spec } });
  assert.equal(updated.status, 200, updated.text);
  assert.deepEqual((await call(`${tabs}/a`)).json.spec, { image: "long", added: "new" });
  assert.equal((await watch).text.split("\n").length, 2);
  assert.equal((await call(`${tabs}/a`, merge({ metadata: { labels: { a: "b" } } }))).status, 200);
  const refused = await call(`${tabs}/a`, merge({ spec: { image: "other" } }));
  assert.match(String(refused.json.message), /spec.image: Too long: may not be more than 2 bytes$/);
});

test("versions without a webhook differ by their name and schema", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const [first] = versionsOf(cronTabs());
  const second = { ...first, name: "v2", storage: false, deprecated: true };
  await define(setup, cronTabs({}, { versions: [first ?? {}, second] }));
  await call(tabs, create(cronTab("a")));
  const other = await call(`${tabs.replace("/v1/", "/v2/")}/a`);
  assert.equal(other.json.apiVersion, "stable.example.com/v2");
  assert.equal(other.headers.warning, '299 - "stable.example.com/v2 CronTab is deprecated"');
  await call(tabs.replace("/v1/", "/v2/"), create({ ...cronTab("b"), apiVersion: "stable.example.com/v2" }));
  const list = await call(tabs);
  assert.ok(Array.isArray(list.json.items));
  assert.equal(list.json.items.length, 2);
  const group = await call("/apis/stable.example.com");
  assert.deepEqual(group.json.preferredVersion, { groupVersion: "stable.example.com/v2", version: "v2" });
});

const versionsOf = ({ spec }: JsonObject): JsonObject[] =>
  isJsonObject(spec) && Array.isArray(spec.versions) ? spec.versions.filter(isJsonObject) : [];

test("an update that changes nothing rewrites what was stored in another version", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const [first] = versionsOf(cronTabs());
  const v2 = tabs.replace("/v1/", "/v2/");
  const both = (storage: "v1" | "v2") =>
    ["v1", "v2"].map((name) => ({ ...first, name, storage: name === storage }) satisfies JsonObject);
  await define(setup, cronTabs({}, { versions: both("v1") }));
  const made = await call(tabs, create(cronTab("a")));
  const moved = await call(`${definitions}/${cronTabsName}`, merge({ spec: { versions: both("v2") } }));
  assert.ok(isJsonObject(moved.json.status));
  assert.deepEqual(moved.json.status.storedVersions, ["v1", "v2"]);
  const versionOf = ({ json }: { readonly json: JsonObject }) =>
    isJsonObject(json.metadata) ? json.metadata.resourceVersion : undefined;
  const rewritten = await call(`${v2}/a`, merge({}));
  assert.notEqual(versionOf(rewritten), versionOf(made));
  assert.equal(versionOf(await call(`${v2}/a`, merge({}))), versionOf(rewritten));
  const early = await call(`${definitions}/${cronTabsName}`, merge({ spec: { versions: both("v2").slice(1) } }));
  assert.match(
    String(early.json.message),
    /status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions/,
  );
  await call(`${definitions}/${cronTabsName}/status`, merge({ status: { storedVersions: ["v2"] } }));
  const done = await call(`${definitions}/${cronTabsName}`, merge({ spec: { versions: both("v2").slice(1) } }));
  assert.equal(done.status, 200, done.text);
  assert.equal((await call(tabs)).status, 404);
  assert.equal(versionOf(await call(`${v2}/a`)), versionOf(rewritten));
});

test("names are given to who asks first, and to the next when they are given up", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs());
  const names = { plural: "tabs", kind: "CronTab", shortNames: ["ct"] };
  const other = { ...cronTabs({}, { names }), metadata: { name: "tabs.stable.example.com" } };
  await call(definitions, create(other));
  const conditions = async () => conditionsOf((await call(`${definitions}/tabs.stable.example.com`)).json);
  await until(async () => (await conditions()).NamesAccepted !== undefined);
  assert.deepEqual(await conditions(), { NamesAccepted: "False ListKindConflict", Established: "False NotAccepted" });
  assert.equal((await call("/apis/stable.example.com/v1/tabs")).status, 404);
  await call(`${definitions}/${cronTabsName}`, { method: "DELETE" });
  await until(async () => (await conditions()).Established === "True InitialNamesAccepted");
});

test("a definition waits for its instances, and takes no new ones", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs());
  const held = cronTab("a");
  held.metadata = { name: "a", finalizers: ["example.com/held"] };
  await call(tabs, create(held));
  await call(tabs, create(cronTab("b")));
  const watch = await setup.watch(`${tabs}?watch=true`);
  const definitionWatch = await setup.watch(`${definitions}?watch=true`);
  await call(`${definitions}/${cronTabsName}`, { method: "DELETE" });
  await until(async () => (await call(`${tabs}/b`)).status === 404);
  const { json } = await call(`${definitions}/${cronTabsName}`);
  assert.equal(conditionsOf(json).Terminating, "True InstanceDeletionInProgress");
  const refused = await call(tabs, create(cronTab("c")));
  assert.deepEqual(
    [refused.status, refused.json.message],
    [405, "create not allowed while custom resource definition is terminating"],
  );
  await call(`${tabs}/a`, merge({ metadata: { finalizers: [] } }));
  await until(async () => (await call(`${definitions}/${cronTabsName}`)).status === 404);
  assert.equal((await call(`${tabs}/a`)).status, 404);
  assert.match(await watch.until(() => false), /"type":"DELETED"/, "it ends with its resource");
  assert.match(await definitionWatch.until((text) => text.includes('"type":"DELETED"')), /"type":"DELETED"/);
});

async function openApiOf(setup: TestSetup): Promise<string> {
  return (await setup.call("/openapi/v3/apis/stable.example.com/v1")).text;
}

test("discovery and OpenAPI change with the definition", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs(everything));
  const { json } = await call("/apis/stable.example.com/v1");
  const resources = Array.isArray(json.resources) ? json.resources.filter(isJsonObject) : [];
  assert.deepEqual(
    resources.map(({ name }) => name),
    ["crontabs", "crontabs/scale", "crontabs/status"],
  );
  assert.deepEqual([resources[0]?.shortNames, resources[0]?.categories], [["ct"], ["all"]]);
  assert.match(await openApiOf(setup), /"com.example.stable.v1.CronTab"/);
  assert.match(await openApiOf(setup), /"x-kubernetes-selectable-fields":\[\{"fieldPath":"spec.image"\}\]/);
  assert.match((await call("/openapi/v2")).text, /"com.example.stable.v1.CronTabList"/);
  await call(`${definitions}/${cronTabsName}`, { method: "DELETE" });
  await until(async () => (await call("/apis/stable.example.com/v1")).status === 404);
  assert.doesNotMatch((await call("/openapi/v2")).text, /com.example.stable/);
});

test("a definition in the place of a built-in resource serves nothing and removes nothing", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  await call(leases, create({ metadata: { name: "mine" }, spec: {} }));
  const names = { plural: "leases", kind: "Lease" };
  const body: JsonObject = {
    ...cronTabs({}, { group: "coordination.k8s.io", names }),
    metadata: {
      name: "leases.coordination.k8s.io",
      annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
    },
  };
  await define(setup, body);
  await call(`${definitions}/leases.coordination.k8s.io`, { method: "DELETE" });
  await until(async () => (await call(`${definitions}/leases.coordination.k8s.io`)).status === 404);
  assert.equal((await call(`${leases}/mine`)).status, 200);
});

test("objects that do not say what they are, or come in what custom resources are not written in", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, cronTabs());
  const text = '{"metadata":{"name":"a"},"spec":{}}';
  const unsaid = await call(tabs, create(JSON.parse(text)));
  assert.deepEqual(
    [unsaid.status, unsaid.json.message],
    [
      400,
      `the object provided is unrecognized (must be of type CronTab): Object 'Kind' is missing in '${text}' ({"metadata":{"name":"a"},"spec ...)`,
    ],
  );
  const labels = await call(tabs, create({ ...cronTab("a"), metadata: { name: "a", labels: { a: 1 } } }));
  assert.equal(labels.status, 400);
  assert.match(String(labels.json.message), /cannot unmarshal number into Go struct field ObjectMeta.metadata.labels/);
  const other = await call(tabs, create({ ...cronTab("a"), kind: "Other" }));
  assert.equal(other.status, 400);
  const protobuf = "application/vnd.kubernetes.protobuf";
  assert.equal((await call(tabs, { headers: { accept: protobuf } })).status, 406);
  assert.equal((await call(tabs, { headers: { accept: `${protobuf},application/json` } })).json.kind, "CronTabList");
  const sent = await call(tabs, { method: "POST", body: "k8s\0x", headers: { "content-type": protobuf } });
  assert.ok(sent.status === 400 || sent.status === 415, sent.text);
});

test("whole numbers keep all their digits, and are judged by them", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  const big = { type: "integer", maximum: 9007199254740994, multipleOf: 3 };
  const spec = { type: "object", properties: { big } };
  await define(setup, cronTabs({ schema: { openAPIV3Schema: { type: "object", properties: { spec } } } }));
  const body = (digits: string) =>
    `{"kind":"CronTab","apiVersion":"stable.example.com/v1","metadata":{"name":"a"},"spec":{"big":${digits}}}`;
  const headers = { "content-type": "application/json" };
  const made = await call(tabs, { method: "POST", body: body("9007199254740993"), headers });
  assert.equal(made.status, 201, made.text);
  assert.match((await call(`${tabs}/a`)).text, /"big":9007199254740993\}/);
  const more = await call(tabs, { method: "POST", body: body("9007199254740995"), headers });
  assert.match(more.text, /spec\.big: Invalid value: 9007199254740995: spec\.big in body should be a multiple of 3/);
  assert.match(more.text, /should be less than or equal to 9007199254740994/);
});
