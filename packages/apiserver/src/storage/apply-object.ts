import {
  applyConfiguration,
  conformObject,
  DecodeFailure,
  hasReason,
  type KubeObject,
  type ObjectRef,
  refusals,
  strictConfigurationError,
} from "@skiff/api";
import { deepCopy, type JsonObject } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asJson, asObject } from "../encoding/object-json.ts";
import { checkPlace, placePatched } from "../verbs/check-place.ts";
import { warnOf } from "../verbs/decode-body.ts";
import { createObject } from "./create-object.ts";
import { modifyObject } from "./modify-object.ts";
import type { ObjectStorage, Written } from "./object-storage.ts";
import { resetFields } from "./track-fields.ts";

/** A server-side apply. */
export interface Application {
  /** The applied configuration, as it was sent. */
  readonly config: JsonObject;
  /** What is wrong with it only for who looks closely: told or refused once it is known to apply. */
  readonly strictErrors: readonly string[];
  readonly force: boolean;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
  /** Admission has decided already. */
  readonly admitted?: boolean;
}

/** Applies a configuration: merges it into the object that is there, or makes a new one. */
export async function applyObject(storage: ObjectStorage, ref: ObjectRef, application: Application): Promise<Written> {
  const { context, subresource, admitted } = application;
  const apply = applier(storage, ref, application);
  for (;;) {
    if (storage.find(ref) === undefined && subresource === undefined) {
      try {
        return { served: await createApplied(storage, ref, { apply, context }), created: true };
      } catch (error) {
        // Somebody else made it in the meantime: then it is there to be changed.
        if (!hasReason(error, "AlreadyExists")) throw error;
      }
    }
    const change = (current: KubeObject): KubeObject => {
      const { object, changed } = apply(asJson(current));
      return changed ? object() : current;
    };
    return {
      served: await modifyObject(storage, ref, {
        change,
        context,
        subresource,
        ownFields: true,
        ownObject: true,
        admitted,
      }),
      created: false,
    };
  }
}

/** Merges the configuration into a live object. */
type Apply = (live: JsonObject) => { readonly changed: boolean; object(): KubeObject };

function applier(storage: ObjectStorage, ref: ObjectRef, application: Application): Apply {
  const { config, force, context, subresource } = application;
  let told = false;
  return (live) => {
    const { object, changed } = applyConfiguration({
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
    if (!told) tellStrict(application);
    told = true;
    return { changed, object: () => placed(conformed(storage, object), ref) };
  };
}

function placed(object: KubeObject, ref: ObjectRef): KubeObject {
  placePatched(object, ref);
  checkPlace(object, ref);
  return object;
}

function tellStrict({ strictErrors, context }: Application): void {
  if (strictErrors.length > 0 && context.fieldValidation === "Strict") throw strictConfigurationError(strictErrors);
  warnOf(strictErrors, context);
}

/** Configurations are merged as they are said; what is stored has the form of the schema. */
function conformed(storage: ObjectStorage, merged: JsonObject): KubeObject {
  try {
    return asObject(conformObject(deepCopy(merged), storage.schema).value);
  } catch (error) {
    if (error instanceof DecodeFailure) throw refusals.badRequest(`failed to merge config: ${error.message}`);
    throw error;
  }
}

async function createApplied(
  storage: ObjectStorage,
  ref: ObjectRef,
  { apply, context }: { readonly apply: Apply; readonly context: WriteContext },
) {
  const { apiVersion, resource } = storage;
  // Who applies no field at all still makes an object.
  const object = apply({ apiVersion, kind: resource.kind, metadata: {} }).object();
  const { uid } = object.metadata;
  if (uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw refusals.conflict(storage.subject(ref.name), why);
  }
  await context.authorizeCreate?.();
  return await createObject(storage, object, { ...context, ownFields: true });
}
