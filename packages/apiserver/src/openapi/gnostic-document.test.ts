import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInResources, openApiV2 } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { gnosticDocument } from "./gnostic-document.ts";

/** A message as it is on the wire: what stands at each number, in order. */
type Fields = ReadonlyMap<number, readonly (Buffer | bigint | number)[]>;

function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint | number)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const payload = (wireType: number): Buffer | bigint | number => {
    if (wireType === 0) return varint();
    const length = wireType === 1 ? 8 : Number(varint());
    assert(wireType === 1 || wireType === 2, `wire type ${wireType}`);
    assert(at + length <= bytes.length, "a field ends with its message");
    at += length;
    return wireType === 1 ? bytes.readDoubleLE(at - 8) : bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), payload(tag & 7)]);
  }
  return fields;
}

const buffers = (fields: Fields, number: number): Buffer[] =>
  (fields.get(number) ?? []).map((value) => (Buffer.isBuffer(value) ? value : assert.fail(`${number} is no message`)));
const messages = (fields: Fields, number: number): Fields[] => buffers(fields, number).map(fieldsOf);
const strings = (fields: Fields, number: number): string[] => buffers(fields, number).map(String);
const one = (fields: Fields, ...numbers: readonly number[]): Fields =>
  numbers.reduce((inner, number) => messages(inner, number)[0] ?? assert.fail(`nothing at ${number}`), fields);
const named = (fields: Fields, number: number): [string, Fields][] =>
  messages(fields, number).map((entry) => [strings(entry, 1).join(), one(entry, 2)]);
const yaml = (any: Fields): JsonValue => JSON.parse(strings(any, 2).join());
const extensions = (fields: Fields, number: number): [string, JsonValue][] =>
  named(fields, number).map(([name, any]) => [name, yaml(any)]);

const stringFields = { $ref: 1, format: 2, title: 3, description: 4, pattern: 13 };
const numberFields = { multipleOf: 6, maximum: 7, minimum: 9 };
const integerFields = {
  maxLength: 11,
  minLength: 12,
  maxItems: 14,
  minItems: 15,
  maxProperties: 17,
  minProperties: 18,
};
const flagFields = { exclusiveMaximum: 8, exclusiveMinimum: 10, uniqueItems: 16, readOnly: 27 };

/** Reads a schema back to what it was in JSON. */
function schemaOf(fields: Fields): JsonObject {
  const schema: JsonObject = {};
  for (const [name, number] of Object.entries(stringFields))
    for (const text of strings(fields, number)) schema[name] = text;
  for (const [name, number] of Object.entries(numberFields)) {
    for (const value of fields.get(number) ?? []) schema[name] = typeof value === "number" ? value : null;
  }
  for (const [name, number] of Object.entries(integerFields)) {
    for (const value of fields.get(number) ?? []) schema[name] = Number(BigInt.asIntN(64, BigInt(Number(value))));
  }
  for (const [name, number] of Object.entries(flagFields)) if (fields.has(number)) schema[name] = true;
  for (const any of messages(fields, 5)) schema.default = yaml(any);
  if (fields.has(19)) schema.required = strings(fields, 19);
  if (fields.has(20)) schema.enum = messages(fields, 20).map(yaml);
  for (const item of messages(fields, 21)) {
    schema.additionalProperties = item.has(2) ? item.get(2)?.[0] === 1n : schemaOf(one(item, 1));
  }
  for (const types of messages(fields, 22)) schema.type = strings(types, 1).join();
  for (const items of messages(fields, 23)) schema.items = schemaOf(one(items, 1));
  if (fields.has(24)) schema.allOf = messages(fields, 24).map(schemaOf);
  for (const properties of messages(fields, 25)) {
    schema.properties = Object.fromEntries(named(properties, 1).map(([name, inner]) => [name, schemaOf(inner)]));
  }
  for (const any of messages(fields, 30)) schema.example = yaml(any);
  return Object.assign(schema, Object.fromEntries(extensions(fields, 31)));
}

const members = (value: JsonValue | undefined): [string, JsonObject][] =>
  isJsonObject(value)
    ? Object.entries(value).map(([name, member]) => [name, isJsonObject(member) ? member : assert.fail(name)])
    : assert.fail("no object");

const json = openApiV2(builtInResources, "v1.36.0");
const document = fieldsOf(gnosticDocument(json));

test("definitions read back as they were", () => {
  assert.deepEqual(strings(document, 1), ["2.0"]);
  assert.deepEqual(strings(one(document, 2), 2), ["v1.36.0"]);
  const definitions = named(one(document, 9), 1);
  assert(definitions.length > 300);
  assert.deepEqual(
    definitions.map(([name, schema]) => [name, schemaOf(schema)]),
    members(json.definitions),
  );
});

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };
const places: Readonly<Record<string, number>> = { header: 1, formData: 2, query: 3, path: 4 };

/** Where a parameter is, and its name. */
function parameterOf(item: Fields): [string, string] {
  const parameter = one(item, 1);
  if (parameter.has(1)) return [strings(one(parameter, 1), 3).join(), strings(one(parameter, 1), 2).join()];
  const [[number, [bytes]] = [0, []]] = [...one(parameter, 2)];
  const fields = fieldsOf(Buffer.isBuffer(bytes) ? bytes : assert.fail("no parameter"));
  const where = strings(fields, 2).join();
  assert.equal(number, places[where]);
  return [where, strings(fields, 4).join()];
}

const parametersOf = (value: JsonValue | undefined): JsonValue[][] =>
  Array.isArray(value)
    ? value.map((item) => (isJsonObject(item) ? [item.in ?? null, item.name ?? null] : assert.fail("no parameter")))
    : [];

test("operations carry their parameters, answers and extensions", () => {
  const paths = new Map(named(one(document, 8), 2));
  const given = members(json.paths);
  assert.deepEqual(
    [...paths.keys()],
    given.map(([path]) => path),
  );
  for (const [path, item] of given) {
    const read = paths.get(path) ?? assert.fail(path);
    assert.deepEqual(messages(read, 9).map(parameterOf), parametersOf(item.parameters));
    for (const [method, number] of Object.entries(methods)) {
      const operation = item[method];
      assert.equal(read.has(number), operation !== undefined, `${method} ${path}`);
      if (!isJsonObject(operation)) continue;
      const fields = one(read, number);
      assert.deepEqual(strings(fields, 5), [operation.operationId]);
      assert.deepEqual(strings(fields, 7), operation.consumes);
      assert.deepEqual(messages(fields, 8).map(parameterOf), parametersOf(operation.parameters));
      const answers = named(one(fields, 9), 1).map(([code, answer]): [string, JsonObject] => [
        code,
        { description: strings(one(answer, 1), 1).join(), ...answerSchema(one(answer, 1)) },
      ]);
      assert.deepEqual(Object.fromEntries(answers), operation.responses);
      assert.deepEqual(
        extensions(fields, 13),
        Object.entries(operation).filter(([name]) => name.startsWith("x-")),
      );
    }
  }
});

const answerSchema = (response: Fields): JsonObject =>
  response.has(2) ? { schema: schemaOf(one(response, 2, 1)) } : {};

test("a query parameter keeps its type", () => {
  const paths = new Map(named(one(document, 8), 2));
  const patch = one(paths.get("/apis/apps/v1/namespaces/{namespace}/deployments/{name}") ?? assert.fail(), 8);
  const dryRun = messages(patch, 8).find((item) => parameterOf(item)[1] === "dryRun") ?? assert.fail();
  const fields = one(dryRun, 1, 2, 3);
  assert.deepEqual([strings(fields, 6), fields.get(20)], [["string"], [1n]]);
});

test("credentials", () => {
  const [[name, item] = assert.fail()] = named(one(document, 13), 1);
  assert.deepEqual([name, strings(one(item, 2), 1), strings(one(item, 2), 3)], ["BearerToken", ["apiKey"], ["header"]]);
  assert.deepEqual(named(one(document, 12), 1), [["BearerToken", new Map()]]);
});

/** What the schema `given` reads back as. */
const roundTrip = (given: JsonObject): JsonObject => {
  const read = fieldsOf(gnosticDocument({ definitions: { given } }));
  assert.deepEqual([...read.keys()], [9]);
  return schemaOf(one(read, 9, 1, 2));
};

test("schemas as custom resources have them", () => {
  const full: JsonObject = {
    title: "CronTab",
    description: "läuft — 毎日 🕐",
    type: "object",
    required: ["spec", ""],
    minProperties: 1,
    maxProperties: 2 ** 40,
    properties: {
      replicas: { type: "integer", format: "int32", minimum: -2.5, maximum: 1e300, multipleOf: 0.5, default: 0 },
      name: {
        type: "string",
        minLength: 1,
        maxLength: 300,
        pattern: "^a$",
        enum: ["a", "", null],
        exclusiveMinimum: true,
      },
      open: { type: "object", additionalProperties: true, "x-kubernetes-preserve-unknown-fields": true },
      closed: { type: "object", additionalProperties: false, default: {}, example: { a: [1, "two"] } },
      list: { type: "array", items: { type: "array", items: {}, minItems: 3 }, maxItems: 128, uniqueItems: true },
      both: { allOf: [{ type: "string" }, { title: "b" }] },
      deep: { type: "object", properties: {} },
    },
    "x-kubernetes-validations": [{ rule: "self.a > 1", message: "a\u2028b\u0085\n'\"" }],
  };
  assert.deepEqual(roundTrip(full), full);
});

test("left out: what the message does not know, and what it says by saying nothing", () => {
  const { type, ...rest } = roundTrip({
    type: "string",
    nullable: true,
    oneOf: [{ type: "string" }],
    constructor: "no",
    description: "",
    minLength: 0,
    minimum: 0,
    uniqueItems: false,
    maxLength: "12",
    maxItems: 1.5,
    title: null,
  });
  assert.deepEqual([type, rest], ["string", {}]);
});

test("YAML that readers take: line separators of Unicode are escaped", () => {
  const bytes = gnosticDocument({ "x-a": "\u2028\u007f\u0085é" });
  assert.deepEqual(strings(one(fieldsOf(bytes), 16, 2), 2), [String.raw`"\u2028\u007f\u0085é"`]);
});
