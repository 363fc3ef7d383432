import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze, type JsonObject } from "@skiff/base";
import type { FieldValidation } from "../schema/decode.ts";
import { definitionSchema } from "../schema/definition-schema.ts";
import { StatusError } from "../status-error.ts";
import { parseConfiguration, strictConfigurationError } from "./configuration.ts";
import { type ParsedPatch, parsePatch, patchedObject } from "./patch-object.ts";

const current: JsonObject = deepFreeze({
  kind: "Deployment",
  metadata: { name: "a" },
  spec: { replicas: 1, paused: true },
});
const patchObject = (type: ParsedPatch["type"], text: string, fieldValidation: FieldValidation = "Strict") =>
  patchedObject({
    current,
    patch: parsePatch(type, text, fieldValidation),
    schema: definitionSchema("apps.v1.Deployment"),
    fieldValidation,
  });

test("all kinds of patches lead to an object of its own", () => {
  const cases: readonly (readonly [ParsedPatch["type"], string])[] = [
    ["json", '[{"op":"replace","path":"/spec/replicas","value":2}]'],
    ["merge", '{"spec":{"replicas":2}}'],
    ["strategic", '{"spec":{"replicas":2}}'],
  ];
  for (const [type, text] of cases) {
    const { value } = patchObject(type, text);
    assert.deepEqual(value.spec, { replicas: 2, paused: true });
    assert.ok(!Object.isFrozen(value.metadata), type);
  }
});

test("what is refused", () => {
  const cases: readonly (readonly [ParsedPatch["type"], string, number, string])[] = [
    ["merge", "{", 400, "error decoding patch: unexpected end of JSON input"],
    [
      "json",
      "{}",
      400,
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ],
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
      400,
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    [
      "json",
      '[{"op":"add","path":"/spec/foo","value":1,"bar":2},{"op":"add","op":"add","path":"/spec/paused","value":false}]',
      422,
      ' "" is invalid: patch: Invalid value: "{\\"kind\\":\\"Deployment\\",\\"metadata\\":{\\"name\\":\\"a\\"},\\"spec\\":{\\"replicas\\":1,\\"paused\\":false,\\"foo\\":1}}": strict decoding error: json patch unknown field "[0].bar", json patch duplicate field "[1].op", unknown field "spec.foo"',
    ],
  ];
  for (const [type, text, code, message] of cases) {
    assert.throws(
      () => patchObject(type, text),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.message, message);
        assert.equal(error.code, code);
        return true;
      },
    );
  }
  const warned = patchObject("merge", '{"spec":{"foo":1}}', "Warn");
  assert.deepEqual(warned.strictErrors, ['unknown field "spec.foo"']);
  const deep = `${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}`;
  for (const type of ["merge", "strategic", "json"] as const) {
    const text = type === "json" ? `[{"op":"add","path":"/x","value":${deep}}]` : deep;
    assert.throws(() => patchObject(type, text), { code: 400, message: /exceeded max depth$/ });
  }
});

test("configurations are YAML or JSON", () => {
  assert.deepEqual(parseConfiguration("kind: X\nspec: {a: 1}\n", "Strict").value, { kind: "X", spec: { a: 1 } });
  assert.deepEqual(parseConfiguration('{"kind":"X"}', "Strict").value, { kind: "X" });
  const twice = 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 1: key "a" already set in map';
  assert.deepEqual(parseConfiguration('{"a":1,"a":2}', "Warn").strictErrors, [twice]);
  const { strictErrors } = parseConfiguration("a: 1\na: 2", "Strict");
  assert.match(
    strictConfigurationError(strictErrors).message,
    /^error strict decoding YAML: error converting YAML to JSON: .*line 2: key "a" already set/s,
  );
  assert.throws(() => parseConfiguration("- a", "Strict"), { code: 400, message: /^error decoding YAML: / });
});
