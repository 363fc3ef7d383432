import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { fieldErrorText } from "../field-error.ts";
import { applyConfiguration } from "../managed-fields/apply.ts";
import { schemaOfCustomResource } from "../schema/json-schema.ts";
import { customColumns } from "./custom-columns.ts";
import { duplicateItems } from "./list-types.ts";
import { settle } from "./settle.ts";
import { structuralSchema } from "./structural-schema.ts";
import { validateValue } from "./validate-value.ts";

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: "object", properties, ...more });

test("what a schema does not know goes, what it defaults comes", () => {
  const text = { type: "string" };
  const cases: readonly (readonly [schema: JsonObject, before: JsonObject, after: JsonObject])[] = [
    [object({ a: text }), { a: "x", b: 1 }, { a: "x" }],
    [
      object({ a: text }),
      { kind: "K", apiVersion: "v", metadata: { x: 1 } },
      { kind: "K", apiVersion: "v", metadata: { x: 1 } },
    ],
    [object({ metadata: object({}) }), { metadata: { x: 1 } }, { metadata: { x: 1 } }],
    [object({}, { "x-kubernetes-preserve-unknown-fields": true }), { b: { c: 1 } }, { b: { c: 1 } }],
    [
      object({ a: object({ b: text }, { "x-kubernetes-preserve-unknown-fields": true }) }),
      { a: { b: "x", c: { d: 1 } } },
      { a: { b: "x", c: { d: 1 } } },
    ],
    [
      object({ a: { type: "array", items: object({ b: text }) } }),
      { a: [{ b: "x", c: 1 }, 3] },
      { a: [{ b: "x" }, 3] },
    ],
    [
      object({ a: { type: "object", additionalProperties: object({ b: text }) } }),
      { a: { k: { c: 1 } } },
      { a: { k: {} } },
    ],
    [object({ a: { type: "string", default: "d" } }), {}, { a: "d" }],
    [object({ a: { type: "string", default: "d" } }), { a: null }, { a: "d" }],
    [object({ a: { type: "string", default: "d", nullable: true } }), { a: null }, { a: null }],
    [object({ a: text }), { a: null }, {}],
    [object({ a: object({ b: { type: "integer", default: 2 } }, { default: {} }) }), {}, { a: { b: 2 } }],
    [object({ a: object({ b: { type: "integer", default: 2 } }) }), {}, {}],
    [
      object({ a: object({ b: text }, { "x-kubernetes-embedded-resource": true }) }),
      { a: { kind: "K", z: 1 } },
      { a: { kind: "K" } },
    ],
  ];
  for (const [schema, before, after] of cases) {
    const value = deepCopy(before);
    assert.equal(
      settle(value, structuralSchema(schema)),
      JSON.stringify(before) !== JSON.stringify(after),
      JSON.stringify(schema),
    );
    assert.deepEqual(value, after, JSON.stringify(schema));
  }
});

const findings = (schema: JsonObject, value: JsonValue, old?: JsonValue): readonly string[] =>
  validateValue({ value, path: "", old }, structuralSchema(schema)).map(fieldErrorText);

test("values that do not fit, in Kubernetes' words", () => {
  const a = (schema: JsonObject) => object({ a: schema });
  const cases: readonly (readonly [schema: JsonObject, value: JsonValue, found: readonly string[]])[] = [
    [a({ type: "integer" }), { a: "x" }, ['a: Invalid value: "string": a in body must be of type integer: "string"']],
    [a({ type: "integer" }), { a: null }, ['a: Invalid value: "null": a in body must be of type integer: "null"']],
    [a({ type: "integer", nullable: true }), { a: null }, []],
    [a({ type: "number" }), { a: 3 }, []],
    [
      a({ "x-kubernetes-int-or-string": true }),
      { a: true },
      ['a: Invalid value: "boolean": a in body must be of type integer,string: "boolean"'],
    ],
    [object({}, { required: ["b"] }), {}, ["b: Required value"]],
    [a({ type: "string", enum: ["x", "y"] }), { a: "z" }, ['a: Unsupported value: "z": supported values: "x", "y"']],
    [a({ type: "string", maxLength: 2 }), { a: "xyz" }, ["a: Too long: may not be more than 2 bytes"]],
    [
      a({ type: "string", minLength: 2 }),
      { a: "x" },
      ['a: Invalid value: "x": a in body should be at least 2 chars long'],
    ],
    [a({ type: "string", pattern: "^x+$" }), { a: "y" }, ["a: Invalid value: \"y\": a in body should match '^x+$'"]],
    [a({ type: "string", format: "ipv4" }), { a: "x" }, ['a: Invalid value: "x": a in body must be of type ipv4: "x"']],
    [
      a({ type: "integer", multipleOf: 5, minimum: 10, exclusiveMinimum: true }),
      { a: 7 },
      [
        "a: Invalid value: 7: a in body should be a multiple of 5",
        "a: Invalid value: 7: a in body should be greater than 10",
      ],
    ],
    [
      a({ type: "array", items: { type: "string" }, maxItems: 1 }),
      { a: ["x", "y"] },
      ["a: Too many: 2: must have at most 1 items"],
    ],
    [
      a({ type: "array", items: { type: "string" } }),
      { a: ["x", 1] },
      ['a[1]: Invalid value: "integer": a[1] in body must be of type string: "integer"'],
    ],
    [
      a({ type: "object", additionalProperties: { type: "string" }, minProperties: 2 }),
      { a: { k: 1 } },
      [
        "a: Invalid value: 1: a in body should have at least 2 properties",
        'a.k: Invalid value: "integer": a.k in body must be of type string: "integer"',
      ],
    ],
    [
      a({ type: "string", oneOf: [{ minLength: 2 }, { pattern: "^x" }] }),
      { a: "xx" },
      ['<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      a({ type: "string", anyOf: [{ minLength: 2 }] }),
      { a: "x" },
      [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        'a: Invalid value: "x": a in body should be at least 2 chars long',
      ],
    ],
    [
      a({ type: "string", not: { minLength: 2 } }),
      { a: "xx" },
      ['<nil>: Invalid value: "": "a" must not validate the schema (not)'],
    ],
  ];
  for (const [schema, value, found] of cases) assert.deepEqual(findings(schema, value), found, JSON.stringify(schema));
});

test("what did not change is let pass", () => {
  const schema = object({
    a: { type: "string", maxLength: 1 },
    list: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: object({ k: { type: "string" }, v: { type: "string", maxLength: 1 } }),
    },
  });
  const old = { a: "long", list: [{ k: "one", v: "long" }] };
  assert.deepEqual(findings(schema, { a: "long", b: 1 }, old), []);
  assert.deepEqual(findings(schema, { ...old, list: [{ k: "two", v: "x" }, ...old.list] }, old), []);
  assert.deepEqual(findings(schema, { ...old, list: [{ k: "one", v: "other" }] }, old), [
    "list[0].v: Too long: may not be more than 1 bytes",
  ]);
});

test("items that are there twice", () => {
  const set = structuralSchema({ type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } });
  assert.deepEqual([...duplicateItems(["a", "b", "a"], "l", set)].map(fieldErrorText), ['l[2]: Duplicate value: "a"']);
  const map = structuralSchema({
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    items: object({ port: { type: "integer" }, protocol: { type: "string", default: "TCP" } }),
  });
  const items = [{ port: 1 }, { port: 1, protocol: "UDP" }, { port: 1, protocol: "TCP" }];
  assert(items.every(isJsonObject));
  assert.deepEqual([...duplicateItems(items, "l", map)].map(fieldErrorText), [
    'l[2]: Duplicate value: {"port":1,"protocol":"TCP"}',
  ]);
});

test("apply knows items by their keys, and keys by their defaults", () => {
  const ports = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    items: object({
      port: { type: "integer" },
      protocol: { type: "string", default: "TCP" },
      name: { type: "string" },
    }),
  };
  const schema = schemaOfCustomResource({ kind: "Tab", schema: object({ spec: object({ ports }) }) });
  const identity = { apiVersion: "example.com/v1", kind: "Tab", metadata: { name: "a" } };
  const live = {
    ...identity,
    spec: {
      ports: [
        { port: 1, protocol: "TCP", name: "old" },
        { port: 1, protocol: "UDP" },
      ],
    },
  };
  const { object: made } = applyConfiguration({
    live,
    config: { ...identity, spec: { ports: [{ port: 1, name: "new" }] } },
    schema,
    force: true,
    manager: "me",
    apiVersion: "example.com/v1",
    subresource: undefined,
    nowMs: 0,
  });
  assert.deepEqual(made.spec, {
    ports: [
      { port: 1, protocol: "TCP", name: "new" },
      { port: 1, protocol: "UDP" },
    ],
  });
});

test("columns are typed; one that cannot be read makes room for the age", () => {
  const at = (name: string, type: string) => ({ name, type, jsonPath: `.${name}` });
  const columns = customColumns([
    at("text", "string"),
    at("count", "integer"),
    at("flag", "boolean"),
    at("when", "date"),
  ]);
  const metadata = { name: "a", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const cells = (object: JsonObject) =>
    columns.map((column) => column.value({ ...object, metadata }, { nowMs: Date.UTC(2026, 0, 1, 1) }));
  assert.deepEqual(cells({ text: 1.5, count: 2.7, flag: true, when: "2026-01-01T00:00:00Z" }), ["1.5", 2, true, "60m"]);
  assert.deepEqual(cells({ text: { a: 1 }, count: "x", flag: "x", when: "never" }), [
    '{"a":1}',
    null,
    null,
    "<invalid>",
  ]);
  assert.deepEqual(cells({}), [null, null, null, null]);
  const fallen = customColumns([at("text", "string"), { name: "b", type: "string", jsonPath: ".spec[" }]);
  assert.deepEqual(
    fallen.map(({ title }) => title),
    ["Age"],
  );
});
