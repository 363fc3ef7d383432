import { type ResourceDefinition, refusals } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { decodeMessage } from "./decode-message.ts";
import { fieldsOf } from "./message-table.ts";
import { ProtobufError } from "./protobuf-reader.ts";

/** How bodies in protobuf are announced. */
export const protobufType = "application/vnd.kubernetes.protobuf";

const magic = Buffer.from("k8s\0");

/** True for a `Content-Type` of protobuf. */
export const isProtobuf = (contentType: string | undefined): boolean =>
  contentType?.split(";")[0]?.trim().toLowerCase() === protobufType;

/** Where messages of a group are: `rbac.authorization.k8s.io/v1` is `rbac.v1`, the core group is `core`. */
function messageOf(apiVersion: string, kind: string): string {
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const first = group.split(".")[0] ?? "";
  const own = `${first}.${version}.${kind}`;
  // Options of requests carry the group of the resource they are about.
  return fieldsOf(own) === undefined ? `meta.v1.${kind}` : own;
}

/**
 * A request's body in protobuf as the object that JSON would have said: the envelope names `apiVersion` and `kind`. Throws
 * `StatusError` 400. `fallback` says what it is where the envelope does not.
 */
export function objectFromProtobuf(
  body: Buffer,
  fallback?: Pick<ResourceDefinition, "kind"> & { readonly apiVersion: string },
): JsonObject {
  try {
    if (!body.subarray(0, 4).equals(magic)) {
      throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    }
    const { typeMeta, raw } = envelope(body.subarray(4));
    const apiVersion = typeMeta.apiVersion || (fallback?.apiVersion ?? "");
    const kind = typeMeta.kind || (fallback?.kind ?? "");
    const object = decodeMessage(messageOf(apiVersion, kind), raw);
    return { apiVersion, kind, ...object };
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof RangeError) throw refusals.badRequest(error.message);
    throw error;
  }
}

function envelope(bytes: Buffer): {
  readonly typeMeta: { readonly apiVersion: string; readonly kind: string };
  readonly raw: Buffer;
} {
  const { typeMeta, raw } = decodeMessage("machinery.runtime.Unknown", bytes);
  const meta = typeof typeMeta === "object" && typeMeta !== null && !Array.isArray(typeMeta) ? typeMeta : {};
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    typeMeta: { apiVersion: text(meta.apiVersion), kind: text(meta.kind) },
    raw: Buffer.from(text(raw), "base64"),
  };
}
