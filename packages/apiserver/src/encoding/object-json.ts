import type { KubeObject } from "@skiff/api";
import { assert, isJsonObject, type JsonObject } from "@skiff/base";

/**
 * Objects as JSON and back: the one place where the two views of the same value meet. Both functions give what they were
 * given; they look, but copy nothing.
 */

/** An object of the API seen as plain JSON. */
export function asJson(object: object): JsonObject {
  assert(isJsonObject(object), "an object of the API is a JSON object");
  return object;
}

const hasMetadata = (value: unknown): value is KubeObject => isJsonObject(value) && isJsonObject(value.metadata);

/** Plain JSON seen as an object of the API. Asserts that it has metadata: whoever decoded it saw to that. */
export function asObject(value: unknown): KubeObject {
  assert(hasMetadata(value), "an object of the API has metadata");
  return value;
}

/** JSON text with `kind`, `apiVersion` and `metadata` first, whatever the order of the members: readers rely on it. */
export function objectText(object: object): string {
  const { kind, apiVersion, metadata, ...rest } = asJson(object);
  return JSON.stringify({ kind, apiVersion, metadata, ...rest });
}

const head = ["kind", "apiVersion", "metadata"];

/** True for members in the order of the stored form, as nearly all objects have them: then nothing needs to be copied. */
function isInOrder(object: object): boolean {
  let at = 0;
  for (const name in object) {
    if (name !== head[at]) return false;
    if (++at === head.length) return true;
  }
  return false;
}

/** The same without `metadata.resourceVersion` and `selfLink`: how objects are stored. The revision is the store's to say. */
export function storedText(object: object): string {
  const json = asJson(object);
  const { metadata } = json;
  assert(isJsonObject(metadata), "an object of the API has metadata");
  const { resourceVersion, selfLink } = metadata;
  if (isInOrder(object)) {
    if (resourceVersion === undefined && selfLink === undefined) return JSON.stringify(object);
    if (!Object.isFrozen(metadata)) return withoutVersion(json, metadata);
  }
  const { kind, apiVersion, metadata: _, ...rest } = json;
  return JSON.stringify({
    kind,
    apiVersion,
    metadata: { ...metadata, resourceVersion: undefined, selfLink: undefined },
    ...rest,
  });
}

/** An update's object comes with the revision that it is made from, and is its writer's own: taking that away for a moment copies nothing. */
function withoutVersion(object: JsonObject, metadata: JsonObject): string {
  const { resourceVersion, selfLink } = metadata;
  metadata.resourceVersion = undefined;
  if (selfLink !== undefined) metadata.selfLink = undefined;
  const text = JSON.stringify(object);
  metadata.resourceVersion = resourceVersion;
  if (selfLink !== undefined) metadata.selfLink = selfLink;
  return text;
}
