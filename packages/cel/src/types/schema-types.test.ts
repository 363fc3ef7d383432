import assert from "node:assert/strict";
import { test } from "node:test";
import { definitionSchema } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { run } from "../fixtures/run.ts";
import { typeText } from "./cel-type.ts";
import { escapedName } from "./property-names.ts";
import { typeOfJsonSchema, typeOfSchema } from "./schema-types.ts";

test("properties whose names are no words are escaped", () => {
  const cases: readonly [string, string | undefined][] = [
    ["plain", "plain"],
    ["namespace", "__namespace__"],
    ["in", "__in__"],
    ["x-prop", "x__dash__prop"],
    ["redact__d", "redact__underscores__d"],
    ["a.b/c", "a__dot__b__slash__c"],
    ["string", "string"],
    ["1st", undefined],
    ["with blank", undefined],
    ["ünïcode", undefined],
  ];
  for (const [property, name] of cases) assert.equal(escapedName(property), name, property);
});

const schema: JsonObject = {
  type: "object",
  properties: {
    "x-prop": { type: "string", maxLength: 5 },
    namespace: { type: "string" },
    when: { type: "string", format: "date-time" },
    wait: { type: "string", format: "duration" },
    raw: { type: "string", format: "byte" },
    share: { type: "number" },
    port: { "x-kubernetes-int-or-string": true },
    open: { "x-kubernetes-preserve-unknown-fields": true },
    set: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    keyed: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", properties: { name: { type: "string" }, value: { type: "integer" } } },
    },
    labels: { type: "object", additionalProperties: { type: "string" } },
  },
};

const object = {
  metadata: { name: "web", labels: { a: "b" } },
  "x-prop": "p",
  namespace: "n",
  when: "2024-01-01T00:00:00Z",
  wait: "1h30m",
  raw: "aGVsbG8=",
  share: 1,
  port: 80,
  set: ["a", "b"],
  keyed: [
    { name: "a", value: 1 },
    { name: "b", value: 2 },
  ],
  labels: { x: "y" },
};

const type = typeOfJsonSchema(schema, { name: "Widget", resource: true });

const holds = [
  "object.x__dash__prop == 'p' && object.__namespace__ == 'n' && object.metadata.name == 'web'",
  "object.when.getFullYear() == 2024 && object.wait == duration('90m') && object.raw == b'hello'",
  "object.share == 1.0 && type(object.share) == double && object.port == 80",
  "object.set == ['b', 'a'] && object.set + ['a', 'c'] == ['a', 'b', 'c'] && size(object.set + ['a']) == 2",
  "object.keyed.map(k, k.name) == ['a', 'b'] && object.keyed == [object.keyed[1], object.keyed[0]]",
  "object.labels['x'] == 'y' && object.labels.all(k, k == 'x') && 'x' in object.labels && !('z' in object.labels)",
  "has(object.x__dash__prop) && !has(object.metadata.generateName) && object.labels.?z.orValue('none') == 'none'",
];

test("values have the types of their schema", () => {
  assert(type !== undefined);
  for (const expression of holds) assert.deepEqual(run(expression, object, type), { value: true }, expression);
});

test("what a schema does not declare cannot be seen", () => {
  assert(type !== undefined);
  for (const field of ["namespace", "open", "nothing", "metadata.labels"]) {
    const outcome = run(`object.${field} == ''`, object, type);
    assert(typeof outcome === "string" && outcome.includes("undefined field"), field);
  }
});

test("schemas without a shape have no type", () => {
  for (const none of [
    {},
    { type: "array" },
    { type: "array", items: {} },
    { "x-kubernetes-preserve-unknown-fields": true },
  ]) {
    assert.equal(typeOfJsonSchema(none, { name: "x", resource: false }), undefined);
  }
});

test("built-in kinds have the types of their fields", () => {
  const pod = typeOfSchema(definitionSchema("core.v1.Pod"));
  assert.equal(typeText(pod), "io.k8s.core.v1.Pod");
  const sound = [
    "object.spec.containers.all(c, c.name != '' && c.?ports.orValue([]).all(p, p.containerPort > 0))",
    "object.metadata.creationTimestamp > timestamp('2020-01-01T00:00:00Z') && object.metadata.labels['a'] == 'b'",
  ];
  const value = {
    metadata: { creationTimestamp: "2024-01-01T00:00:00Z", labels: { a: "b" } },
    spec: { containers: [{ name: "web", ports: [{ containerPort: 80 }] }] },
  };
  for (const expression of sound) assert.deepEqual(run(expression, value, pod), { value: true }, expression);
  assert.match(String(run("object.spec.containers[0].nothing == 1", value, pod)), /undefined field 'nothing'/);
  assert.match(String(run("object.spec.containers[0].name == 1", value, pod)), /applied to '\(string, int\)'/);
});
