/** What holds of all kinds: no encoding loses anything, and no rule fails on an object that lacks what it should have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { stringify } from "yaml";
import { builtInResources } from "./built-in.ts";
import { filledObject } from "./fixtures/filled-object.ts";
import { tableMoment } from "./fixtures/rule-tables.ts";
import { tableColumns } from "./kinds/table-columns.ts";
import type { KubeObject } from "./object.ts";
import { decodeProtobuf, encodeProtobuf, messageOf } from "./protobuf/envelope.ts";
import { decodeWatchFrames, encodeWatchFrame } from "./protobuf/watch-frame.ts";
import { apiVersionOf, type ResourceDefinition } from "./resource-definition.ts";
import { conformObject, decodeObject } from "./schema/decode.ts";
import { definitionSchema } from "./schema/definition-schema.ts";

const filled = (resource: ResourceDefinition): JsonObject => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  ...filledObject(definitionSchema(resource.schema)),
});

/** Kinds of versions that Kubernetes removed have no messages: what they say is read from JSON and YAML only. */
const current = builtInResources.filter((resource) => messageOf(apiVersionOf(resource), resource.kind) !== undefined);

test("every kind comes back from protobuf, alone, in lists and in watches", () => {
  for (const resource of current) {
    const object = filled(resource);
    assert.deepEqual(decodeProtobuf(encodeProtobuf(object)).object, object, resource.kind);
    const { apiVersion, kind, ...item } = object;
    const metadata = { resourceVersion: "7", continue: "next", remainingItemCount: 3 };
    if (messageOf(String(apiVersion), resource.listKind) !== undefined) {
      const list = { apiVersion: String(apiVersion), kind: resource.listKind, metadata, items: [item, item] };
      assert.deepEqual(decodeProtobuf(encodeProtobuf(list)).object, list, resource.listKind);
    }
    const frame = encodeWatchFrame("MODIFIED", encodeProtobuf(object));
    const [event] = decodeWatchFrames(frame).frames;
    assert.deepEqual(event && [event.type, decodeProtobuf(event.envelope).object], ["MODIFIED", object], String(kind));
  }
  assert.ok(current.length > 60, String(current.length));
});

test("status and options come back from protobuf", () => {
  for (const [name, kind] of [
    ["meta.v1.Status", "Status"],
    ["meta.v1.DeleteOptions", "DeleteOptions"],
  ] as const) {
    const object = { apiVersion: "v1", kind, ...filledObject(definitionSchema(name)) };
    assert.deepEqual(decodeProtobuf(encodeProtobuf(object)).object, object, name);
  }
});

test("every kind comes back from JSON and from YAML", () => {
  for (const resource of builtInResources) {
    const object = filled(resource);
    const { group, version, kind } = resource;
    const request = { schema: definitionSchema(resource.schema), group, version, kind };
    for (const format of ["json", "yaml"] as const) {
      const text = format === "json" ? JSON.stringify(object) : stringify(object);
      const decoded = decodeObject({ ...request, text, format, fieldValidation: "Strict" });
      assert.deepEqual(decoded.value, object, `${kind} in ${format}`);
    }
  }
});

/** An object with each of its members, at any depth, missing in one and empty in another. */
function* poorer(value: JsonValue): Generator<JsonValue> {
  if (Array.isArray(value)) {
    for (const item of poorer(value[0] ?? null)) yield [item];
    yield [];
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      const { [name]: member, ...rest } = value;
      yield rest;
      for (const less of poorer(member ?? null)) yield { ...rest, [name]: less };
    }
    yield {};
  }
}

function asObject(value: JsonValue): value is JsonObject & KubeObject {
  return isJsonObject(value) && isJsonObject(value.metadata);
}

const metadata = { name: "web", namespace: "default", uid: "1", resourceVersion: "1" };

/** Runs all rules of a kind over what a client sent, as the server does. */
function runRules(resource: ResourceDefinition, body: JsonObject): void {
  const sent = conformObject(deepCopy(body), definitionSchema(resource.schema)).value;
  assert(asObject(sent));
  const object = deepCopy(sent);
  resource.defaults(object);
  resource.prepareCreate(object, tableMoment);
  resource.validate(object);
  resource.warnings?.(object);
  const next = deepCopy(object);
  resource.prepareUpdate(next, object, tableMoment);
  resource.validate(next, object);
  resource.validateUpdate(next, object);
  resource.changesGeneration(next, object);
  const reported = deepCopy(sent);
  resource.defaults(reported);
  resource.prepareStatusUpdate(reported, object, tableMoment);
  resource.validateStatusUpdate(reported, object);
  for (const part of Object.values(resource.parts ?? {})) {
    const changed = deepCopy(sent);
    resource.defaults(changed);
    part.prepare(changed, object, tableMoment);
    part.validate(changed, object);
  }
  for (const column of tableColumns(resource)) column.value(object, tableMoment);
  for (const field of resource.selectableFields) field.value(object);
}

/** More of one kind would be the same once again. */
const mostForms = 100;

for (const resource of current) {
  test(`no rule of ${resource.plural} (${apiVersionOf(resource)}) fails on what is missing`, () => {
    const { metadata: _metadata, ...content } = filled(resource);
    let forms = 0;
    for (const less of [{}, content, ...poorerUpTo(content, mostForms)]) {
      forms++;
      const object = isJsonObject(less) ? { ...less, metadata } : { metadata };
      try {
        runRules(resource, object);
      } catch (error) {
        throw new Error(`with ${JSON.stringify(less).slice(0, 3000)}`, { cause: error });
      }
    }
    assert.ok(forms > 2);
  });
}

function poorerUpTo(value: JsonObject, count: number): JsonValue[] {
  const all = [...poorer(value)];
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, index) => index % step === 0);
}
