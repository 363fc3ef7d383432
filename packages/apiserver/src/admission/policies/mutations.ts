import {
  applyJsonPatch,
  conformObject,
  isFailedTest,
  type KubeObject,
  overlayConfiguration,
  type StructSchema,
} from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type CelObject, type CelValue, isList, isObject, jsonFromCel, NotJson } from "@skiff/cel";
import { asJson } from "../../encoding/object-json.ts";

/** A mutation that cannot be carried out. The message is Kubernetes'. */
export class MutationError extends Error {
  override readonly name = "MutationError";
}

/** What is mutated, and the schema of its kind. */
export interface Mutated {
  readonly object: KubeObject;
  readonly schema: StructSchema;
}

/** The object with what an `Object{…}` says laid over it. Throws `MutationError`. */
export function applyToObject(mutated: Mutated, value: CelValue): JsonObject {
  const { object, schema } = mutated;
  if (!isObject(value)) {
    throw new MutationError("unsupported return type from ApplyConfiguration expression");
  }
  checkTypeNames(value, "Object");
  const said = toJson(value, "error applying patch");
  if (!isJsonObject(said)) throw new MutationError("invalid return type");
  const live = asJson(object);
  const config = { ...said, apiVersion: object.apiVersion, kind: object.kind };
  try {
    return conformed(overlayConfiguration(live, config, schema), mutated);
  } catch (error) {
    throw new MutationError(`error applying patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The object with a list of `JSONPatch{…}` applied. An operation `test` that does not hold leaves it as it is. */
export function patchObject(mutated: Mutated, value: CelValue): JsonObject {
  if (!isList(value)) throw new MutationError("type mismatch: JSONPatchType.expression should evaluate to array");
  const operations = [...value.values()].map(operationOf);
  const target = asJson(mutated.object);
  try {
    const patched = applyJsonPatch(target, operations);
    if (!isJsonObject(patched)) throw new Error("the patched value is not an object");
    return conformed(patched, mutated);
  } catch (error) {
    if (isFailedTest(error)) return target;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new MutationError(`JSONPath: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function operationOf(value: CelValue): JsonObject {
  if (!isObject(value) || value.typeName !== "JSONPatch") {
    throw new MutationError("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
  }
  const operation: JsonObject = {};
  for (const [name, member] of value.entries()) {
    if (name === "from" && member === "") continue;
    if (name === "value" && isObject(member)) checkTypeNames(member, "Object");
    operation[name] = toJson(member, "JSONPath valueExpression evaluated to a type that could not marshal to JSON");
  }
  return operation;
}

function toJson(value: CelValue, what: string): JsonValue {
  try {
    return jsonFromCel(value);
  } catch (error) {
    if (error instanceof NotJson) throw new MutationError(`${what}: ${error.message}`);
    throw error;
  }
}

/** `Object.spec{…}` may stand only where the object's `spec` is. Throws `MutationError`. */
function checkTypeNames(object: CelObject, expected: string): void {
  // A patch's value begins anywhere: what counts is that it is the same from there on.
  const name = expected === "Object" ? object.typeName : expected;
  if (object.typeName !== name) {
    const what = `unexpected type name ${JSON.stringify(object.typeName)}, expected ${JSON.stringify(name)}`;
    throw new MutationError(`type mismatch: ${what}, which matches field name path from root Object type`);
  }
  for (const [field, member] of object.entries()) checkMember(member, `${name}.${field}`);
}

function checkMember(member: CelValue, expected: string): void {
  if (isObject(member)) checkTypeNames(member, expected);
  else if (isList(member)) for (const item of member.values()) checkMember(item, expected);
}

/**
 * Drops what the schema does not know and writes quantities and times as they are stored. What kind an object is, and that it
 * has metadata, is not for a mutation to change.
 */
function conformed(value: JsonObject, { object, schema }: Mutated): JsonObject {
  conformObject(value, schema);
  value.apiVersion = object.apiVersion;
  value.kind = object.kind;
  if (!isJsonObject(value.metadata)) value.metadata = {};
  return value;
}
