import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  type KubeObject,
  type ObjectRef,
  type PatchType,
  refusals,
} from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asJson } from "../encoding/object-json.ts";
import { applyObject } from "../storage/apply-object.ts";
import { modifyObject } from "../storage/modify-object.ts";
import type { ObjectStorage, Written } from "../storage/object-storage.ts";
import { checkPlace } from "./check-place.ts";
import { conformPatched } from "./decode-body.ts";

/** A patch of any of the four types, parsed. */
export interface Patch {
  readonly type: PatchType;
  readonly value: JsonValue;
  /** As the client sent it, for refusals. */
  readonly text: string;
  /** With type `apply`. */
  readonly force: boolean;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
}

/** Patches an object; apply makes it where it is not there. */
export async function patchObject(storage: ObjectStorage, ref: ObjectRef, patch: Patch): Promise<Written> {
  const { context, subresource } = patch;
  if (patch.type === "apply") return await applyPatch(storage, ref, patch);
  const change = (current: KubeObject): KubeObject => {
    const patched = conformPatched(storage, patchedValue(storage, current, patch), patch);
    checkPlace(patched, ref);
    return patched;
  };
  return { served: await modifyObject(storage, ref, { change, context, subresource }), created: false };
}

function patchedValue({ schema }: ObjectStorage, current: KubeObject, { type, value }: Patch): JsonValue {
  // Patching shares what it does not touch, and what comes of it is changed in place: so it works on a copy.
  const target: JsonObject = deepCopy(asJson(current));
  if (type === "json") return applyJsonPatch(target, value);
  if (!isJsonObject(value)) {
    const found = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
    throw refusals.badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return type === "merge" ? applyMergePatch(target, value) : applyStrategicMergePatch(target, value, schema);
}

async function applyPatch(storage: ObjectStorage, ref: ObjectRef, patch: Patch): Promise<Written> {
  const { value, context, subresource, force } = patch;
  if (!isJsonObject(value)) throw refusals.badRequest("error decoding YAML: the configuration is not an object");
  const config: JsonObject = isJsonObject(value.metadata) ? value : { ...value, metadata: {} };
  if (config.apiVersion !== storage.apiVersion || config.kind !== storage.resource.kind) {
    const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");
    const [group, version] = text(config.apiVersion).includes("/")
      ? text(config.apiVersion).split("/", 2)
      : ["", text(config.apiVersion)];
    throw refusals.badRequest(`invalid object type: ${group}/${version}, Kind=${text(config.kind)}`);
  }
  const metadata: JsonObject = isJsonObject(config.metadata) ? config.metadata : {};
  if (Array.isArray(metadata.managedFields) && metadata.managedFields.length > 0) {
    throw refusals.badRequest("metadata.managedFields must be nil");
  }
  const named: JsonObject = {
    ...config,
    metadata: {
      ...metadata,
      name: metadata.name ?? ref.name,
      ...(ref.namespace === undefined ? {} : { namespace: metadata.namespace ?? ref.namespace }),
    },
  };
  checkPlace(conformPatched(storage, deepCopy(named), patch), ref);
  return await applyObject(storage, ref, { config: named, force, context, subresource });
}
