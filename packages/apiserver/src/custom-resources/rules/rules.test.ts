import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@skiff/base";
import { cronTab, cronTabs, define, definitions, tabs } from "../../fixtures/custom-definitions.ts";
import { testSetup } from "../../fixtures/test-client.ts";

const rules = (...all: JsonObject[]): JsonObject => ({ "x-kubernetes-validations": all });
const text = { type: "string", maxLength: 10 };

const withSpec = (spec: JsonObject): JsonObject =>
  cronTabs({ schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", ...spec } } } } });

const definition = withSpec({
  properties: {
    min: { type: "integer" },
    max: { type: "integer" },
    size: { type: "integer", ...rules({ rule: "self >= oldSelf", message: "may only grow" }) },
    name: { ...text, ...rules({ rule: "self.startsWith('x')", reason: "FieldValueForbidden" }) },
    list: {
      type: "array",
      maxItems: 5,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: {
        type: "object",
        required: ["k"],
        properties: { k: text, v: text },
        ...rules({ rule: "!has(oldSelf.v) || self.v == oldSelf.v", message: "v is immutable" }),
      },
    },
    map: { type: "object", maxProperties: 5, additionalProperties: { ...text, ...rules({ rule: "self != 'no'" }) } },
    once: { ...text, ...rules({ rule: "oldSelf.hasValue() || self == 'first'", optionalOldSelf: true }) },
  },
  ...rules(
    {
      rule: "!has(self.min) || !has(self.max) || self.min <= self.max",
      messageExpression: "'%d > %d'.format([self.min, self.max])",
    },
    { rule: "!has(self.min) || 10 / self.min > 0", fieldPath: ".min", message: "must be small" },
  ),
});

const create = (body: object) => ({ method: "POST", body });
const merge = (body: object) => ({
  method: "PATCH",
  body,
  headers: { "content-type": "application/merge-patch+json" },
});

test("objects are judged by the rules of their schema", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, definition);
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ min: 3, max: 2 }, 'spec: Invalid value: "object": 3 > 2'],
    [{ min: 0 }, 'spec: Invalid value: "object": division by zero evaluating rule: must be small'],
    [{ min: 11 }, 'spec.min: Invalid value: "object": must be small'],
    [{ name: "y" }, "spec.name: Forbidden: failed rule: self.startsWith('x')"],
    [{ map: { a: "no" } }, "spec.map[a]: Invalid value: \"string\": failed rule: self != 'no'"],
    [{ once: "second" }, "spec.once: Invalid value: \"string\": failed rule: oldSelf.hasValue() || self == 'first'"],
    [
      { min: "x", name: "y" },
      '[spec.min: Invalid value: "string": spec.min in body must be of type integer: "string", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
    ],
  ];
  for (const [spec, message] of cases) {
    const { status, json } = await call(tabs, create(cronTab("a", spec)));
    assert.equal(status, 422);
    assert.equal(json.message, `CronTab.stable.example.com "a" is invalid: ${message}`);
  }
});

test("transitions, and what does not change", async () => {
  await using setup = await testSetup();
  const { call } = setup;
  await define(setup, definition);
  const made = await call(tabs, create(cronTab("a", { size: 3, once: "first", list: [{ k: "a", v: "1" }] })));
  assert.equal(made.status, 201, made.text);
  const patch = async (spec: JsonObject) => (await call(`${tabs}/a`, merge({ spec }))).json.message ?? "";
  const invalid = 'CronTab.stable.example.com "a" is invalid: ';
  assert.equal(await patch({ size: 2 }), `${invalid}spec.size: Invalid value: "integer": may only grow`);
  assert.equal(await patch({ size: 4, once: "other" }), "");
  assert.equal(
    await patch({
      list: [
        { k: "b", v: "2" },
        { k: "a", v: "1" },
      ],
    }),
    "",
  );
  assert.equal(
    await patch({ list: [{ k: "a", v: "2" }] }),
    `${invalid}spec.list[0]: Invalid value: "object": v is immutable`,
  );
});

test("rules that do not compile or cost too much are refused with their definition", async () => {
  await using setup = await testSetup();
  const cases: readonly (readonly [JsonObject, RegExp])[] = [
    [
      { properties: { a: text }, ...rules({ rule: "self.b == 1" }) },
      /properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: "self\.b == 1": compilation failed: ERROR: <input>:1:5: undefined field 'b'/,
    ],
    [{ ...rules({ rule: "1" }) }, /rule: Invalid value: "1": cel expression must evaluate to a bool$/],
    [
      { properties: { a: text }, ...rules({ rule: "has(self.a)", messageExpression: "1" }) },
      /messageExpression: Invalid value: "1": messageExpression must evaluate to a string$/,
    ],
    [
      { ...rules({ rule: "true", reason: "x" }) },
      /reason: Unsupported value: "x": supported values: "FieldValueDuplicate"/,
    ],
    [
      { ...rules({ rule: "true", message: "a\nb" }) },
      /message: Invalid value: "a\\nb": message must not contain line breaks$/,
    ],
    [
      { properties: { a: { type: "array", maxItems: 3, items: { ...text, ...rules({ rule: "self == oldSelf" }) } } } },
      /rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.*properties\[a\]$/,
    ],
    [
      {
        properties: {
          a: { type: "array", items: { type: "string" } },
        },
        ...rules({ rule: "self.a.all(x, self.a.all(y, x != y))" }),
      },
      /x-kubernetes-validations\[0\]\.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x/,
    ],
  ];
  for (const [spec, message] of cases) {
    const { status, json } = await setup.call(definitions, create(withSpec(spec)));
    assert.equal(status, 422, JSON.stringify(spec));
    assert.match(String(json.message), message);
  }
});
