import { type KubeObject, refusals, StatusError, validateObjectMeta } from "@skiff/api";
import { nameSuffix, timestamp, uuid } from "@skiff/base";
import { writeOptions } from "../admission/request-options.ts";
import { ClaimTaken } from "../allocation/service-claims.ts";
import { ServedObject } from "../cache/served-object.ts";
import type { AdmissionRequest, WriteContext } from "../contracts.ts";
import type { ObjectStorage } from "./object-storage.ts";
import { nothingReserved } from "./storage-hooks.ts";
import { trackFields } from "./track-fields.ts";

/** So often another suffix is tried when a generated name is taken. */
const nameAttempts = 8;

/** So often a creation is tried again whose address or port another server has taken meanwhile. */
const claimAttempts = 20;

/** Kubernetes cuts prefixes of generated names so that name and suffix are a label together. */
const longestPrefix = 63 - 5;

/**
 * The line of a creation. Takes `object` over; with `ownFields` its managed fields are already what they shall be (apply).
 */
export async function createObject(
  storage: ObjectStorage,
  object: KubeObject,
  context: WriteContext & { readonly ownFields?: boolean },
): Promise<ServedObject> {
  storage.hooks.refuseCreation?.();
  const request = admissionRequest(storage, object, context);
  await admit(storage, request, { object, context });
  const { metadata } = object;
  checkNamespace(metadata, request);
  const { clock, random } = storage.environment;
  metadata.uid = uuid(random);
  metadata.creationTimestamp = timestamp(clock.now());
  const generated = !metadata.name && !!metadata.generateName;
  for (let attempt = 1; ; attempt++) {
    if (generated) metadata.name = `${metadata.generateName?.slice(0, longestPrefix)}${nameSuffix(random)}`;
    if (attempt === 1) await finish(storage, request, { object, context });
    const made = await commit(storage, object, context);
    if (made !== undefined) return made;
    if (!generated || attempt === nameAttempts) throw taken(storage, metadata.name, generated);
  }
}

/** "0" and what is no number are taken for none. */
const isVersion = (text: string | undefined): boolean =>
  text !== undefined && /^[0-9]+$/.test(text) && Number(text) > 0;

/** Told last, when everybody who may refuse the object has been asked: their reasons go before. */
const versionOnCreate = (): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "resourceVersion should not be set on objects to be created",
    code: 500,
  });

function taken(storage: ObjectStorage, name: string, generated: boolean): StatusError {
  const error = refusals.alreadyExists(storage.subject(name));
  if (!generated) return error;
  const message = `${error.status.message}, the server was not able to generate a unique name for the object`;
  return new StatusError({ ...error.status, message, details: { ...error.status.details, retryAfterSeconds: 1 } });
}

/** What plugins and webhooks make of an object stays where it was asked for. */
function checkNamespace(metadata: KubeObject["metadata"], { namespace }: AdmissionRequest): void {
  if (metadata.namespace === namespace) return;
  if (namespace === undefined) delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = namespace;
  else {
    const why = "the namespace of the provided object does not match the namespace sent on the request";
    throw refusals.badRequest(why);
  }
}

interface Creation {
  readonly object: KubeObject;
  readonly context: WriteContext & { readonly ownFields?: boolean };
}

/** Defaults, and what plugins change: they see the object before it has a name of the server's making and an identity. */
async function admit(storage: ObjectStorage, request: AdmissionRequest, { object, context }: Creation): Promise<void> {
  const { resource, apiVersion } = storage;
  const { metadata } = object;
  object.kind = resource.kind;
  object.apiVersion = apiVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.generation;
  resource.defaults(object);
  if (context.ownFields !== true) trackFields(storage, object, { live: undefined, context, subresource: undefined });
  const admitting = storage.environment.admission.admit(request);
  if (admitting !== undefined) await admitting;
  resource.defaults(object);
}

/** The kind's own rules, and what plugins say of the finished object. */
async function finish(storage: ObjectStorage, request: AdmissionRequest, { object, context }: Creation): Promise<void> {
  const { resource } = storage;
  const { admission, clock } = storage.environment;
  const { metadata } = object;
  resource.prepareCreate(object, { nowMs: clock.now(), user: context.user });
  const { check } = storage.hooks;
  const write = { object, old: undefined, subresource: undefined, context };
  const ungranted = storage.permits === undefined ? [] : await storage.permits.permit(write);
  const own = [...ungranted, ...validateObjectMeta(resource, metadata), ...resource.validate(object)];
  const errors = check === undefined ? own : [...own, ...(await check(object, undefined, own))];
  if (errors.length > 0) {
    throw refusals.invalid({ group: resource.group, kind: resource.kind, name: metadata.name ?? "" }, errors);
  }
  for (const text of resource.warnings?.(object) ?? []) context.warn(text);
  const validating = admission.validate(request);
  if (validating !== undefined) await validating;
}

function admissionRequest(storage: ObjectStorage, object: KubeObject, context: WriteContext): AdmissionRequest {
  return {
    operation: "CREATE",
    resource: storage.resource,
    subresource: undefined,
    kind: storage.resource,
    namespace: object.metadata.namespace,
    name: object.metadata.name ?? "",
    object,
    oldObject: undefined,
    user: context.user,
    dryRun: context.dryRun,
    options: () => writeOptions("CreateOptions", context),
    warn: context.warn,
    annotate: context.annotate,
  };
}

/** `undefined` when the name is taken. */
async function commit(
  storage: ObjectStorage,
  object: KubeObject,
  context: WriteContext,
  attempt = 1,
): Promise<ServedObject | undefined> {
  const key = storage.key(object.metadata);
  const { dryRun } = context;
  if (!dryRun && isVersion(object.metadata.resourceVersion)) throw versionOnCreate();
  if (storage.cache.get(key) !== undefined) return undefined;
  const reservation = storage.hooks.reserve?.(object, undefined, { dryRun }) ?? nothingReserved;
  if (dryRun) {
    reservation.rollback();
    return ServedObject.fromObject(object, 0);
  }
  try {
    const made = await storage.put(key, object, 0, reservation.claims);
    if (made === undefined) reservation.rollback();
    else reservation.commit();
    return made;
  } catch (error) {
    reservation.rollback();
    // Another server was faster with an address or port: the next attempt sees that.
    if (error instanceof ClaimTaken && attempt < claimAttempts) return commit(storage, object, context, attempt + 1);
    throw error;
  }
}
