import { applyConfiguration, hasReason, type KubeObject, type ObjectRef } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asJson, asObject } from "../encoding/object-json.ts";
import { createObject } from "./create-object.ts";
import { modifyObject } from "./modify-object.ts";
import type { ObjectStorage, Written } from "./object-storage.ts";
import { resetFields } from "./track-fields.ts";

/** A server-side apply. */
export interface Application {
  /** The applied configuration. */
  readonly config: JsonObject;
  readonly force: boolean;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
}

/** Applies a configuration: merges it into the object that is there, or makes a new one. */
export async function applyObject(storage: ObjectStorage, ref: ObjectRef, application: Application): Promise<Written> {
  for (;;) {
    if (storage.find(ref) === undefined && application.subresource === undefined) {
      try {
        return { served: await createApplied(storage, ref, application), created: true };
      } catch (error) {
        // Somebody else made it in the meantime: then it is there to be changed.
        if (!hasReason(error, "AlreadyExists")) throw error;
      }
    }
    const { context, subresource } = application;
    const change = (current: KubeObject): KubeObject => {
      const { object, changed } = merged(storage, asJson(current), application);
      return changed ? asObject(object) : current;
    };
    return {
      served: await modifyObject(storage, ref, { change, context, subresource, ownFields: true }),
      created: false,
    };
  }
}

async function createApplied(storage: ObjectStorage, { namespace, name }: ObjectRef, application: Application) {
  const { apiVersion, resource } = storage;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const { object } = merged(storage, { apiVersion, kind: resource.kind, metadata }, application);
  return await createObject(storage, asObject(object), { ...application.context, ownFields: true });
}

function merged(storage: ObjectStorage, live: JsonObject, { config, force, context, subresource }: Application) {
  return applyConfiguration({
    live,
    config,
    force,
    schema: storage.schema,
    manager: context.fieldManager,
    apiVersion: storage.apiVersion,
    subresource,
    resetFields: resetFields(storage.resource, subresource),
    nowMs: storage.environment.clock.now(),
  });
}
