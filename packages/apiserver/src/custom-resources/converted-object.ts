import type { DynamicObject } from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";

/** What a webhook made of an object, or why it cannot be taken. */
export type ConvertedObject =
  | { readonly kind: "object"; readonly object: DynamicObject }
  | { readonly kind: "invalid"; readonly message: string };

const invalid = (message: string): ConvertedObject => ({ kind: "invalid", message });

/** A webhook may change everything but what the object is; of its metadata, labels and annotations. */
export function convertedObject(
  original: DynamicObject,
  answered: JsonValue | undefined,
  apiVersion: string,
): ConvertedObject {
  if (!isJsonObject(answered)) return invalid("the converted object is not an object");
  if (answered.apiVersion !== apiVersion) {
    return invalid(`invalid groupVersion (expected ${apiVersion}, received ${String(answered.apiVersion ?? "")})`);
  }
  if (answered.kind !== original.kind) {
    return invalid(`must have the same kind: ${original.kind} != ${String(answered.kind ?? "")}`);
  }
  const { metadata } = answered;
  if (!isJsonObject(metadata)) return invalid("missing metadata in converted object");
  for (const [field, name] of [
    ["name", "name"],
    ["namespace", "namespace"],
    ["uid", "UID"],
  ] as const) {
    const before = original.metadata[field] ?? "";
    const after = metadata[field] ?? "";
    if (before !== after) return invalid(`must have the same ${name}: ${before} != ${String(after)}`);
  }
  const { labels: _labels, annotations: _annotations, ...kept } = deepCopy(original.metadata);
  const { kind, metadata: _metadata, apiVersion: _apiVersion, ...content } = answered;
  const texts = { ...textsOf("labels", metadata.labels), ...textsOf("annotations", metadata.annotations) };
  return {
    kind: "object",
    object: { kind: String(kind), apiVersion, metadata: { ...kept, ...texts }, ...content },
  };
}

/** Labels or annotations as they are; nothing where there are none. */
function textsOf(
  field: "labels" | "annotations",
  value: JsonValue | undefined,
): Record<string, Record<string, string>> {
  if (!isJsonObject(value)) return {};
  const texts = Object.entries(value satisfies JsonObject).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return texts.length === 0 ? {} : { [field]: Object.fromEntries(texts) };
}
