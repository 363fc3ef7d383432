import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject } from "@skiff/base";
import { type TestSetup, testSetup } from "../fixtures/test-client.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const tabs = "/apis/stable.example.com/v1/namespaces/default/crontabs";

/** The definition of the documentation's example, with one thing or another in its version. */
const cronTabs = (version: object = {}, spec: object = {}): JsonObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "crontabs.stable.example.com" },
  spec: {
    group: "stable.example.com",
    scope: "Namespaced",
    names: { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  cronSpec: { type: "string", pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" },
                  image: { type: "string" },
                  replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
                  ports: {
                    type: "array",
                    items: { type: "object", properties: { port: { type: "integer" }, name: { type: "string" } } },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port"],
                  },
                },
              },
              status: {
                type: "object",
                properties: { replicas: { type: "integer" }, labelSelector: { type: "string" } },
              },
            },
          },
        },
        ...version,
      },
    ],
    ...spec,
  },
});

const cronTab = (name: string, spec: JsonObject = { cronSpec: "* * * * */5" }): JsonObject => ({
  apiVersion: "stable.example.com/v1",
  kind: "CronTab",
  metadata: { name },
  spec,
});

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let round = 0; round < 500; round++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.fail("it does not come to be");
}

const conditionsOf = (definition: JsonObject): Record<string, string> => {
  const status = isJsonObject(definition.status) ? definition.status : {};
  const all = Array.isArray(status.conditions) ? status.conditions.filter(isJsonObject) : [];
  return Object.fromEntries(all.map(({ type, status, reason }) => [String(type), `${status} ${reason}`]));
};

async function define(setup: TestSetup, definition: JsonObject): Promise<void> {
  const made = await setup.call(definitions, { method: "POST", body: definition });
  assert.equal(made.status, 201, made.text);
  const metadata = isJsonObject(definition.metadata) ? definition.metadata : {};
  await until(async () => {
    const { json } = await setup.call(`${definitions}/${metadata.name}`);
    return conditionsOf(json).Established === "True InitialNamesAccepted";
  });
}

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
