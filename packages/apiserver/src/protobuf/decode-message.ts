import { isJsonObject, type JsonObject, type JsonValue, microTimestamp, timestamp } from "@skiff/base";
import { fieldsOf, type MessageField } from "./message-table.ts";
import { ProtobufError, rawFields } from "./protobuf-reader.ts";

/**
 * Go writes every field that is no pointer, empty or not, and the bytes do not tell which is one. An empty value is left out,
 * as JSON leaves it out, but for the fields here: those are pointers, and nothing but a client's wish makes them empty.
 */
const meantWhenEmpty: ReadonlySet<string> = new Set([
  "activeDeadlineSeconds",
  "allocateLoadBalancerNodePorts",
  "allowPrivilegeEscalation",
  "allowed",
  "attachRequired",
  "automountServiceAccountToken",
  "averageUtilization",
  "backoffLimit",
  "backoffLimitPerIndex",
  "blockOwnerDeletion",
  "completions",
  "controller",
  "defaultMode",
  "enableServiceLinks",
  "expirationSeconds",
  "failedJobsHistoryLimit",
  "fsGroup",
  "gracePeriodSeconds",
  "hostUsers",
  "immutable",
  "maxFailedIndexes",
  "minReplicas",
  "mode",
  "optional",
  "orphanDependents",
  "parallelism",
  "partition",
  "podInfoOnMount",
  "priority",
  "privileged",
  "progressDeadlineSeconds",
  "readOnlyRootFilesystem",
  "ready",
  "replicas",
  "requiresRepublish",
  "revisionHistoryLimit",
  "runAsGroup",
  "runAsNonRoot",
  "runAsUser",
  "seLinuxMount",
  "serving",
  "setHostnameAsFQDN",
  "shareProcessNamespace",
  "stabilizationWindowSeconds",
  "startingDeadlineSeconds",
  "storageCapacity",
  "storageClassName",
  "successfulJobsHistoryLimit",
  "suspend",
  "terminating",
  "terminationGracePeriodSeconds",
  "timeoutSeconds",
  "tolerationSeconds",
  "ttlSecondsAfterFinished",
  "value",
]);

/** Of those, where the same name is no pointer. */
const plainThere: ReadonlySet<string> = new Set(["core.v1.Probe timeoutSeconds", "core.v1.EnvVar value"]);

/** A message of a known type as JSON. Throws `ProtobufError` for bytes that are none. */
export function decodeMessage(message: string, bytes: Buffer): JsonObject {
  const fields = fieldsOf(message);
  if (fields === undefined) throw new ProtobufError(`no message ${message}`);
  const object: JsonObject = {};
  for (const { number, value } of rawFields(bytes)) {
    const field = fields.get(number);
    if (field === undefined) continue;
    if (field.form === "map") addEntry(object, field, bytesOf(value));
    else put(object, field, { message, value: decodeValue(field, value) });
  }
  return object;
}

function put(
  object: JsonObject,
  { name, form }: MessageField,
  of: { message: string; value: JsonValue | undefined },
): void {
  const { message, value } = of;
  if (value === undefined) return;
  if (form === "inline") {
    if (isJsonObject(value)) Object.assign(object, value);
  } else if (form === "list") {
    const list = object[name];
    if (Array.isArray(list)) list.push(value);
    else object[name] = [value];
  } else {
    const empty = value === "" || value === 0 || value === false;
    const keeps = meantWhenEmpty.has(name) && !plainThere.has(`${message} ${name}`);
    if (!empty || keeps) object[name] = value;
  }
}

/** Maps are lists of entries: key 1, value 2. */
function addEntry(object: JsonObject, field: MessageField, bytes: Buffer): void {
  let key = "";
  let value: JsonValue | undefined;
  for (const entry of rawFields(bytes)) {
    if (entry.number === 1) key = bytesOf(entry.value).toString("utf8");
    if (entry.number === 2) value = decodeValue(field, entry.value);
  }
  const map = object[field.name];
  const entries = isJsonObject(map) ? map : {};
  entries[key] = value ?? emptyValue(field);
  object[field.name] = entries;
}

const emptyValue = ({ type }: MessageField): JsonValue => (type === "@" ? {} : type === "l" ? [] : "");

function bytesOf(value: bigint | Buffer): Buffer {
  if (typeof value === "bigint") throw new ProtobufError("wrong wire type");
  return value;
}

function numberOf(value: bigint | Buffer): number {
  if (typeof value !== "bigint") throw new ProtobufError("wrong wire type");
  return Number(BigInt.asIntN(64, value));
}

function decodeValue({ type, message }: MessageField, value: bigint | Buffer): JsonValue | undefined {
  switch (type) {
    case "@":
      return decodeMessage(message ?? "", bytesOf(value));
    case "s":
      return bytesOf(value).toString("utf8");
    case "b":
      return numberOf(value) !== 0;
    case "i":
      return numberOf(value);
    case "d":
      return bytesOf(value).readDoubleLE(0);
    case "y":
      return bytesOf(value).toString("base64");
    default:
      return decodeSpecial(type, bytesOf(value));
  }
}

/** Types that JSON writes in a way of their own. */
function decodeSpecial(type: string, bytes: Buffer): JsonValue | undefined {
  switch (type) {
    case "q":
      return decodeMessage("machinery.api.resource.Quantity", bytes).string ?? "0";
    case "t":
      return timeOf(bytes, timestamp);
    case "u":
      return timeOf(bytes, microTimestamp);
    case "o": {
      const { type: isText, intVal = 0, strVal = "" } = decodeMessage("machinery.util.intstr.IntOrString", bytes);
      return isText === 1 ? strVal : intVal;
    }
    case "l":
      return [...rawFields(bytes)].map(({ value }) => bytesOf(value).toString("utf8"));
    case "w":
      return jsonIn(bytes);
    case "x":
      return schemaOr(bytes);
    default:
      throw new ProtobufError(`no type ${type}`);
  }
}

/** Seconds and nanoseconds; no time at all where both are missing. */
function timeOf(bytes: Buffer, write: (epochMs: number) => string): string | undefined {
  const { seconds, nanos = 0 } = decodeMessage("meta.v1.Time", bytes);
  if (typeof seconds !== "number" || typeof nanos !== "number") return undefined;
  return write(seconds * 1000 + Math.floor(nanos / 1e6));
}

function jsonIn(bytes: Buffer): JsonValue | undefined {
  for (const { number, value } of rawFields(bytes)) {
    if (number !== 1 || bytesOf(value).length === 0) continue;
    try {
      return JSON.parse(bytesOf(value).toString("utf8"));
    } catch {
      throw new ProtobufError("an embedded object is not JSON");
    }
  }
  return undefined;
}

/** A schema, or what may stand in its place: whether anything is allowed, a list of schemas, a list of properties. */
function schemaOr(bytes: Buffer): JsonValue | undefined {
  const several: JsonValue[] = [];
  for (const { number, value } of rawFields(bytes)) {
    if (typeof value === "bigint") several.push(value !== 0n);
    else several.push(number === 1 || value[0] === 0x0a ? decodeSchema(value) : value.toString("utf8"));
  }
  return several.find(isJsonObject) ?? several[0];
}

const decodeSchema = (bytes: Buffer): JsonValue => decodeMessage("apiextensions.v1.JSONSchemaProps", bytes);
