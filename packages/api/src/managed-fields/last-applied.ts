/**
 * Moving from client-side to server-side apply: `kubectl apply --server-side` on an object that `kubectl apply` made may take
 * over what the last client-side apply set, and keeps the annotation up to date so that one can go back.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { StructSchema } from "../schema/schema.ts";
import { compareObjects } from "./compare.ts";
import { differenceOf, type FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./owned-fields.ts";
import { PathElementError } from "./path-element.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
/** The one manager that this is done for. */
export const lastAppliedManager = "kubectl";

function annotationsOf(object: JsonObject): JsonObject {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return isJsonObject(metadata.annotations) ? metadata.annotations : {};
}

/** Fields of the last client-side apply that the live object still has as they were: these may be taken over. */
export function takeable(live: JsonObject, schema: StructSchema): FieldSet {
  const text = annotationsOf(live)[annotation];
  const last = typeof text === "string" ? parsed(text) : null;
  if (!isJsonObject(last)) return {};
  try {
    const { removed, changed } = compareObjects(last, live, schema);
    return differenceOf(differenceOf(fieldSetOf(last, schema), changed), removed);
  } catch (error) {
    if (error instanceof PathElementError) return {};
    throw error;
  }
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Writes the configuration into the annotation of `object` (in place) where the live object has one. */
export function refreshLastApplied(object: JsonObject, live: JsonObject, config: JsonObject): void {
  if (typeof annotationsOf(live)[annotation] !== "string" || !isJsonObject(object.metadata)) return;
  const metadata = isJsonObject(config.metadata) ? config.metadata : {};
  const { [annotation]: _itself, ...annotations } = annotationsOf(config);
  const { managedFields: _owners, ...kept } = metadata;
  const text = sortedText({ ...config, metadata: { ...kept, annotations } });
  object.metadata = {
    ...object.metadata,
    annotations: { ...annotationsOf(object), [annotation]: `${text}\n` },
  };
}

/** JSON as the client writes it, so that what did not change is the same text: members by name, no characters of HTML. */
const sortedText = (value: JsonValue): string =>
  JSON.stringify(sorted(value)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, member === undefined ? undefined : sorted(member)]));
}
