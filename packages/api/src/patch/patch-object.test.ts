import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze, type JsonObject } from "@skiff/base";
import { definitionSchema } from "../schema/definition-schema.ts";
import { StatusError } from "../status-error.ts";
import { type PatchRequest, parseConfiguration, patchObject } from "./patch-object.ts";

const current: JsonObject = deepFreeze({
  kind: "Deployment",
  metadata: { name: "a" },
  spec: { replicas: 1, paused: true },
});
const request = (type: PatchRequest["type"], text: string, more: Partial<PatchRequest> = {}): PatchRequest => ({
  current,
  type,
  text,
  schema: definitionSchema("apps.v1.Deployment"),
  fieldValidation: "Strict",
  ...more,
});

test("all kinds of patches lead to an object of its own", () => {
  const cases: readonly (readonly [PatchRequest["type"], string])[] = [
    ["json", '[{"op":"replace","path":"/spec/replicas","value":2}]'],
    ["merge", '{"spec":{"replicas":2}}'],
    ["strategic", '{"spec":{"replicas":2}}'],
  ];
  for (const [type, text] of cases) {
    const { value } = patchObject(request(type, text));
    assert.deepEqual(value.spec, { replicas: 2, paused: true });
    assert.ok(!Object.isFrozen(value.metadata), type);
  }
});

test("what is refused", () => {
  const cases: readonly (readonly [PatchRequest["type"], string, number, string])[] = [
    ["merge", "{", 400, "unexpected end of JSON input"],
    ["strategic", "[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"],
    [
      "json",
      '[{"op":"test","path":"/spec/replicas","value":5}]',
      422,
      "the server rejected our request due to an error in our request",
    ],
    [
      "strategic",
      '{"spec":{"replicas":"x"}}',
      422,
      ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      "merge",
      '{"spec":{"foo":1,"paused":false,"paused":true}}',
      422,
      ' "" is invalid: patch: Invalid value: "{\\"kind\\":\\"Deployment\\",\\"metadata\\":{\\"name\\":\\"a\\"},\\"spec\\":{\\"replicas\\":1,\\"paused\\":true,\\"foo\\":1}}": strict decoding error: duplicate field "spec.paused", unknown field "spec.foo"',
    ],
    [
      "merge",
      "[]",
      422,
      ' "" is invalid: patch: Invalid value: "[]": json: cannot unmarshal into Go value of type map[string]interface {}',
    ],
  ];
  for (const [type, text, code, message] of cases) {
    assert.throws(
      () => patchObject(request(type, text)),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.message, message);
        assert.equal(error.code, code);
        return true;
      },
    );
  }
  const warned = patchObject(request("merge", '{"spec":{"foo":1}}', { fieldValidation: "Warn" }));
  assert.deepEqual(warned.strictErrors, ['unknown field "spec.foo"']);
  const deep = `${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}`;
  for (const type of ["merge", "strategic", "json"] as const) {
    const text = type === "json" ? `[{"op":"add","path":"/x","value":${deep}}]` : deep;
    assert.throws(() => patchObject(request(type, text)), { code: 400, message: "exceeded max depth" });
  }
});

test("configurations are YAML or JSON", () => {
  assert.deepEqual(parseConfiguration("kind: X\nspec: {a: 1}\n", "Strict").value, { kind: "X", spec: { a: 1 } });
  assert.deepEqual(parseConfiguration('{"kind":"X"}', "Strict").value, { kind: "X" });
  const twice = 'yaml: unmarshal errors:\n  line 1: key "a" already set in map';
  assert.deepEqual(parseConfiguration('{"a":1,"a":2}', "Warn").strictErrors, [twice]);
  assert.throws(() => parseConfiguration("a: 1\na: 2", "Strict"), {
    code: 400,
    message: /^error strict decoding YAML: .*line 2: key "a" already set/s,
  });
  assert.throws(() => parseConfiguration("- a", "Strict"), { code: 400, message: /^error decoding YAML: / });
});
