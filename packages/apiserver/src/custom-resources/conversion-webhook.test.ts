import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { cronTab, cronTabs, define, definitions, tabs } from "../fixtures/custom-definitions.ts";
import { testSetup } from "../fixtures/test-client.ts";
import { webhookServer } from "../fixtures/webhook-server.ts";

const objectsOf = (review: JsonObject): JsonObject[] =>
  isJsonObject(review.request) && Array.isArray(review.request.objects)
    ? review.request.objects.filter(isJsonObject)
    : [];

/** v1 has `spec.image`, v2 calls it `spec.picture`. */
function renamedField(object: JsonObject, apiVersion: string): JsonObject {
  const { image, picture, ...spec } = isJsonObject(object.spec) ? object.spec : {};
  const value = image ?? picture;
  const field = apiVersion.endsWith("v2") ? "picture" : "image";
  return { ...object, apiVersion, spec: { ...spec, ...(value === undefined ? {} : { [field]: value }) } };
}

type Answer = (review: JsonObject, desired: string) => { readonly converted: JsonValue[]; readonly result: JsonObject };

const converts: Answer = (review, desired) => ({
  converted: objectsOf(review).map((object) => renamedField(object, desired)),
  result: { status: "Success" },
});

async function setUp() {
  let answer = converts;
  const reviews: number[] = [];
  const webhook = await webhookServer(({ body }) => {
    const request = isJsonObject(body.request) ? body.request : {};
    const { converted, result } = answer(body, String(request.desiredAPIVersion));
    reviews.push(objectsOf(body).length);
    return { ...body, request: undefined, response: { uid: request.uid, convertedObjects: converted, result } };
  });
  const setup = await testSetup({ services: webhook.services });
  const schema = (field: string) => ({
    openAPIV3Schema: {
      type: "object",
      properties: { spec: { type: "object", properties: { [field]: { type: "string" } } } },
    },
  });
  await define(
    setup,
    cronTabs(
      {},
      {
        conversion: {
          strategy: "Webhook",
          webhook: { clientConfig: webhook.config, conversionReviewVersions: ["v1"] },
        },
        versions: [
          { name: "v1", served: true, storage: true, schema: schema("image") },
          { name: "v2", served: true, storage: false, schema: schema("picture") },
        ],
      },
    ),
  );
  return {
    ...setup,
    reviews,
    answerWith(next: Answer) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      await setup[Symbol.asyncDispose]();
      await webhook[Symbol.asyncDispose]();
    },
  };
}

const v2 = tabs.replace("/v1/", "/v2/");
const create = (body: object) => ({ method: "POST", body });
const merge = (body: object) => ({
  method: "PATCH",
  body,
  headers: { "content-type": "application/merge-patch+json" },
});

test("objects are written and read in any version", async () => {
  await using setup = await setUp();
  const { call, reviews } = setup;
  for (const name of ["a", "b"]) await call(tabs, create(cronTab(name, { image: name })));
  const made = await call(v2, create({ ...cronTab("c", { picture: "c" }), apiVersion: "stable.example.com/v2" }));
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json.spec, { picture: "c" });
  assert.deepEqual((await call(`${tabs}/c`)).json.spec, { image: "c" });
  assert.deepEqual((await call(`${v2}/a`)).json.spec, { picture: "a" });
  reviews.length = 0;
  const { json } = await call(v2);
  assert.ok(Array.isArray(json.items));
  assert.deepEqual(
    json.items.map((item) => isJsonObject(item) && item.spec),
    [{ picture: "a" }, { picture: "b" }, { picture: "c" }],
  );
  assert.deepEqual(reviews, [1], "only what was never shown is asked for");
  const patched = await call(`${v2}/b`, merge({ spec: { picture: "new" } }));
  assert.deepEqual(patched.json.spec, { picture: "new" });
  assert.deepEqual((await call(`${tabs}/b`)).json.spec, { image: "new" });
  const table = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
  assert.equal((await call(v2, table)).json.kind, "Table");
  assert.equal((await call(`${v2}/a`, { method: "DELETE" })).json.status, "Success");
});

test("a list is one review; watches tell in order", async () => {
  await using setup = await setUp();
  const { call, reviews } = setup;
  for (const name of ["a", "b", "c"]) await call(tabs, create(cronTab(name, { image: name })));
  const { json } = await call(v2);
  assert.deepEqual(reviews, [3]);
  assert.ok(isJsonObject(json.metadata));
  const watch = await setup.watch(`${v2}?watch=true&resourceVersion=${json.metadata.resourceVersion}`);
  await call(`${tabs}/a`, merge({ spec: { image: "x" } }));
  await call(`${tabs}/b`, { method: "DELETE" });
  const initial = await setup.watch(`${v2}?watch=true`);
  const events = (count: number) => (text: string) => text.split("\n").length > count;
  const told = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => {
        const { type, object } = JSON.parse(line);
        return `${type} ${object.metadata.name} ${object.apiVersion} ${object.spec.picture}`;
      });
  assert.deepEqual(told(await watch.until(events(2))), [
    "MODIFIED a stable.example.com/v2 x",
    "DELETED b stable.example.com/v2 b",
  ]);
  assert.deepEqual(told(await initial.until(events(2))), [
    "ADDED a stable.example.com/v2 x",
    "ADDED c stable.example.com/v2 c",
  ]);
});

test("what a webhook gets wrong, in Kubernetes' words", async () => {
  await using setup = await setUp();
  const { call } = setup;
  await call(tabs, create(cronTab("a", { image: "a" })));
  const about = "conversion webhook for stable.example.com/v1, Kind=CronTab ";
  const changed =
    (change: (object: JsonObject) => JsonObject): Answer =>
    (review, desired) => ({
      converted: objectsOf(review).map((object) => change(renamedField(object, desired))),
      result: { status: "Success" },
    });
  const metadata = (object: JsonObject, more: JsonObject) => ({
    ...object,
    metadata: { ...(isJsonObject(object.metadata) ? object.metadata : {}), ...more },
  });
  const cases: readonly (readonly [Answer, string])[] = [
    [() => ({ converted: [], result: { status: "Failure", message: "no way" } }), "failed: no way"],
    [
      () => ({ converted: [], result: { status: "Failure" } }),
      "failed: response.result.status was 'Failure', not 'Success'",
    ],
    [() => ({ converted: [], result: { status: "Success" } }), "returned 0 objects, expected 1"],
    [
      changed((object) => ({ ...object, apiVersion: "x/v1" })),
      "returned invalid converted object at index 0: invalid groupVersion (expected stable.example.com/v2, received x/v1)",
    ],
    [
      changed((object) => metadata(object, { name: "b" })),
      "returned invalid converted object at index 0: must have the same name: a != b",
    ],
  ];
  for (const [answer, message] of cases) {
    setup.answerWith(answer);
    const { status, json } = await call(`${v2}/a`);
    assert.deepEqual([status, json.message], [500, about + message]);
    assert.equal((await call(v2)).status, 500);
  }
  setup.answerWith(
    changed((object) => metadata(object, { labels: { made: "here" }, generation: 7, finalizers: ["x"] })),
  );
  const { json } = await call(`${v2}/a`);
  assert.ok(isJsonObject(json.metadata));
  assert.deepEqual(
    [json.metadata.labels, json.metadata.generation, json.metadata.finalizers],
    [{ made: "here" }, 1, undefined],
  );
  assert.equal((await call(`${tabs}/a`)).status, 200);
  assert.equal((await call(definitions)).status, 200);
});
