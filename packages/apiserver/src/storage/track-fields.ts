import { type FieldSet, type KubeObject, type ResourceDefinition, updateManagedFields } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asJson } from "../encoding/object-json.ts";
import type { ObjectStorage } from "./object-storage.ts";

/** A write whose fields are to be known as its writer's. */
export interface TrackedWrite {
  /** What is stored; `undefined` on creation. */
  readonly live: KubeObject | undefined;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
}

/**
 * Records who owns which field. It is done before admission: what plugins add is nobody's, so that a client which later
 * applies what it once created does not find itself removing what it never wrote. What the write cannot change (the status,
 * or all but the status) does not become the writer's either.
 */
export function trackFields(storage: ObjectStorage, next: KubeObject, write: TrackedWrite): void {
  const { live, context, subresource } = write;
  updateManagedFields({
    live: live === undefined ? undefined : asJson(live),
    next: writable(storage, next, write),
    schema: storage.schema,
    manager: context.fieldManager,
    apiVersion: storage.apiVersion,
    subresource,
    resetFields: resetFields(storage.resource, subresource),
    nowMs: storage.environment.clock.now(),
  });
}

/** What a write of a custom resource does not reach. That of built-in kinds follows from their schema. */
export function resetFields({ custom }: ResourceDefinition, subresource: string | undefined): FieldSet | undefined {
  if (custom === undefined) return undefined;
  if (subresource === "status") return { "f:spec": {} };
  return subresource === undefined && custom.hasStatus ? { "f:status": {} } : {};
}

/** The object as it will be as far as this write decides. Its metadata is that of `next`, which is changed. */
function writable(storage: ObjectStorage, next: KubeObject, { live, subresource }: TrackedWrite): JsonObject {
  const hasStatus = storage.resource.subresources.some(({ name }) => name === "status");
  if (!hasStatus) return asJson(next);
  const old: JsonObject = live === undefined ? {} : asJson(live);
  const { metadata, status } = asJson(next);
  if (subresource === "status") return { ...old, metadata, status };
  return subresource === undefined ? { ...asJson(next), status: old.status } : asJson(next);
}
