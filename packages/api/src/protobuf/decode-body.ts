import type { JsonObject } from "@skiff/base";
import { conform } from "../schema/conform.ts";
import { checkBodyPlace } from "../schema/decode.ts";
import { DecodeFailure } from "../schema/decode-failure.ts";
import type { StructSchema } from "../schema/schema.ts";
import { refusals } from "../status-error.ts";
import { decodeEnveloped, messageOf, openEnvelope } from "./envelope.ts";
import { findMessage } from "./message-table.ts";

/** What a body in protobuf is decoded as. */
export interface DecodeProtobufRequest {
  readonly bytes: Uint8Array;
  readonly schema: StructSchema;
  /** Where given, an `apiVersion` of another group or version is refused. Empty for the core group. */
  readonly group?: string | undefined;
  readonly version: string;
  readonly kind: string;
}

/**
 * Reads a request's body in protobuf in the form of its schema, as `decodeObject` reads JSON. Fields that nobody knows are dropped:
 * strict validation is of texts only. Throws `StatusError` (400).
 */
export function decodeProtobufObject(request: DecodeProtobufRequest): JsonObject {
  const { bytes, schema, group, version, kind } = request;
  const envelope = refusing(unrecognized(bytes, kind), () => openEnvelope(bytes));
  checkBodyPlace(request, envelope.apiVersion, envelope.kind);
  const refuse = (why: string) =>
    `${envelope.kind || kind} in version "${version}" cannot be handled as a ${kind}: ${why}`;
  return refusing(refuse, () => {
    if (findMessage(schema.definition) === undefined) {
      throw new DecodeFailure(
        "object *unstructured.Unstructured does not implement the protobuf marshalling interface and cannot be decoded from a protobuf message",
      );
    }
    const object = decodeEnveloped(envelope, { message: schema.definition });
    if (envelope.kind === "") object.kind = kind;
    if (envelope.apiVersion === "" && group !== undefined) {
      object.apiVersion = group === "" ? version : `${group}/${version}`;
    }
    conform(object, schema);
    return object;
  });
}

/**
 * Reads a body in protobuf of whatever built-in kind it says to be; `fallback` where it says nothing. Throws `StatusError` (400).
 */
export function decodeAnyProtobuf(
  bytes: Uint8Array,
  fallback: { readonly apiVersion: string; readonly kind: string } = { apiVersion: "", kind: "" },
): JsonObject {
  return refusing(unrecognized(bytes, fallback.kind || "object"), () => {
    const envelope = openEnvelope(bytes);
    const apiVersion = envelope.apiVersion || fallback.apiVersion;
    const kind = envelope.kind || fallback.kind;
    const message = messageOf(apiVersion, kind);
    if (message === undefined) {
      throw new DecodeFailure(`no kind "${kind}" is registered for version "${apiVersion}"`);
    }
    return decodeEnveloped({ ...envelope, apiVersion, kind }, { message });
  });
}

function refusing<T>(say: (why: string) => string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeFailure) throw refusals.badRequest(say(error.message));
    throw error;
  }
}

const unrecognized = (bytes: Uint8Array, kind: string) => (why: string) =>
  `the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`;

/** The beginning of a body, as refusals show it. */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const shown = Buffer.from(bytes.subarray(0, 30)).toString("hex");
  return bytes.length > 30 ? `${shown} ...` : shown;
}
