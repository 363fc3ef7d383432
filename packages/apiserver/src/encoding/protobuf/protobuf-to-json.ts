import { findDefinitionSchema, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue, microTimestamp, timestamp } from "@skiff/base";
import { type MessageField, messageFields, tellsZero } from "./field-notation.ts";
import { WireError, type WireValue, wireFields } from "./wire.ts";

/** The media type of Kubernetes' protobuf. */
export const protobufType = "application/vnd.kubernetes.protobuf";

const magic = Buffer.from("k8s\0");

/**
 * Reads a body in Kubernetes' protobuf (four bytes, then a `runtime.Unknown` that names the type and holds the message) and
 * tells it in JSON, so that all that follows need not know. Throws 400 for what cannot be read.
 */
export function protobufToJson(body: Buffer): string {
  if (!body.subarray(0, 4).equals(magic)) {
    throw refusals.badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  try {
    return envelopeToJson(body.subarray(4));
  } catch (error) {
    if (error instanceof WireError || error instanceof RangeError) throw refusals.badRequest(error.message);
    throw error;
  }
}

function envelopeToJson(envelope: Buffer): string {
  const parts = new Map<number, Buffer>();
  for (const { tag, value } of wireFields(envelope)) if (value.kind === "bytes") parts.set(tag, value.value);
  const names = new Map<number, string>();
  for (const { tag, value } of wireFields(parts.get(1) ?? Buffer.alloc(0))) {
    if (value.kind === "bytes") names.set(tag, value.value.toString("utf8"));
  }
  const apiVersion = names.get(1) ?? "";
  const kind = names.get(2) ?? "";
  const message = messageOf(apiVersion, kind);
  if (messageFields(message) === undefined) {
    throw refusals.badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  }
  return JSON.stringify({ kind, apiVersion, ...readMessage(message, parts.get(2) ?? Buffer.alloc(0)) });
}

/** `rbac.authorization.k8s.io/v1`, `Role` → `rbac.v1.Role`. Options of requests are of `meta` in every group. */
function messageOf(apiVersion: string, kind: string): string {
  if (/Options$/.test(kind) && findDefinitionSchema(`meta.v1.${kind}`) !== undefined) return `meta.v1.${kind}`;
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? `core.${group}.${kind}` : `${group.split(".")[0]}.${version}.${kind}`;
}

function readMessage(message: string, bytes: Buffer): JsonObject {
  const fields = messageFields(message);
  const schema = findDefinitionSchema(message);
  const result: JsonObject = {};
  for (const { tag, value } of wireFields(bytes)) {
    const field = fields?.get(tag);
    if (field === undefined) continue;
    if (field.name === "^") {
      if (value.kind === "bytes") Object.assign(result, readMessage(field.type.slice(1), value.value));
    } else if (field.shape === "map") {
      if (value.kind === "bytes") addEntry(result, field, value.value);
    } else if (field.shape === "list") addItem(result, field, value);
    else {
      const read = readValue(field.type, value);
      const isZero = read === "" || read === 0 || read === false || read === null;
      if (!isZero || tellsZero(field.name) || schema?.required.includes(field.name) === true) result[field.name] = read;
    }
  }
  return result;
}

function addItem(result: JsonObject, { name, type }: MessageField, value: WireValue): void {
  const list = result[name];
  const item = readValue(type, value);
  if (Array.isArray(list)) list.push(item);
  else result[name] = [item];
}

function addEntry(result: JsonObject, { name, type }: MessageField, entry: Buffer): void {
  let key = "";
  let read: JsonValue = zeroOf(type);
  for (const { tag, value } of wireFields(entry)) {
    if (tag === 1 && value.kind === "bytes") key = value.value.toString("utf8");
    if (tag === 2) read = readValue(type, value);
  }
  const known = result[name];
  const map: JsonObject = isJsonObject(known) ? known : {};
  // `__proto__` is a key like any other.
  Object.defineProperty(map, key, { value: read, enumerable: true, configurable: true, writable: true });
  result[name] = map;
}

const zeroOf = (type: string): JsonValue => (type.startsWith("@") ? {} : type === "list" ? [] : "");

function readValue(type: string, wire: WireValue): JsonValue {
  if (wire.kind === "number") return type === "bool" ? wire.value !== 0n : Number(BigInt.asIntN(64, wire.value));
  const bytes = wire.value;
  if (type.startsWith("@")) return readMessage(type.slice(1), bytes);
  switch (type) {
    case "string":
      return bytes.toString("utf8");
    case "bytes":
      return bytes.toString("base64");
    case "double":
      return bytes.length === 8 ? bytes.readDoubleLE() : 0;
    case "int":
    case "bool":
      throw new WireError("proto: wrong wireType");
    default:
      return readSpecial(type, bytes);
  }
}

function readSpecial(type: string, bytes: Buffer): JsonValue {
  const numbers = new Map<number, number>();
  const texts: Buffer[] = [];
  const byTag = new Map<number, string>();
  for (const { tag, value } of wireFields(bytes)) {
    if (value.kind === "number") numbers.set(tag, Number(BigInt.asIntN(64, value.value)));
    else {
      texts.push(value.value);
      byTag.set(tag, value.value.toString("utf8"));
    }
  }
  switch (type) {
    case "list":
      return texts.map((text) => text.toString("utf8"));
    case "quantity":
      return byTag.get(1) ?? "0";
    case "intOrString":
      return numbers.get(1) === 1 ? (byTag.get(3) ?? "") : (numbers.get(2) ?? 0);
    case "time":
    case "microTime":
      return momentOf(type, numbers);
    default:
      return parseRaw(byTag.get(1));
  }
}

function momentOf(type: "time" | "microTime", numbers: ReadonlyMap<number, number>): JsonValue {
  if (numbers.size === 0) return null;
  const epochMs = (numbers.get(1) ?? 0) * 1000 + Math.floor((numbers.get(2) ?? 0) / 1e6);
  return type === "time" ? timestamp(epochMs) : microTimestamp(epochMs);
}

function parseRaw(text: string | undefined): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text ?? "null");
    return value;
  } catch {
    throw new WireError("json: the embedded object cannot be read");
  }
}
