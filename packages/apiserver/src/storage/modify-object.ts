import { type FieldError, type KubeObject, type ObjectRef, refusals, validateObjectMetaUpdate } from "@skiff/api";
import { deepCopy, isJsonObject, jsonEqual, sharedWith } from "@skiff/base";
import { writeOptions } from "../admission/request-options.ts";
import { ClaimTaken } from "../allocation/service-claims.ts";
import { ServedObject } from "../cache/served-object.ts";
import type { AdmissionRequest, WriteContext } from "../contracts.ts";
import { isFinalized } from "./finalizers.ts";
import type { ObjectStorage } from "./object-storage.ts";
import { nothingReserved } from "./storage-hooks.ts";
import { trackFields } from "./track-fields.ts";

/** Makes the new object from the present one, which it must not change. */
export type Change = (current: KubeObject) => KubeObject | Promise<KubeObject>;

/** What an update is made of. */
export interface Modification {
  readonly change: Change;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
  /** The change has set `metadata.managedFields` itself (apply). */
  readonly ownFields?: boolean;
  /** What the change makes is a new object each time, which nobody else holds: it need not be copied. */
  readonly ownObject?: boolean;
  /** Admission has decided already. */
  readonly admitted?: boolean | undefined;
  /** The change is the server's own, from what was valid to what is: it is written as it is, and nobody's. */
  readonly asIs?: boolean | undefined;
}

/** So often an update is tried again because somebody else was faster. */
const attempts = 100;

/** The line of an update, from the newest state on and again from there when somebody else was faster. */
export async function modifyObject(
  storage: ObjectStorage,
  ref: ObjectRef,
  modification: Modification,
): Promise<ServedObject> {
  const key = storage.key(ref);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = storage.cache.get(key);
    if (stored === undefined) throw refusals.notFound(storage.subject(ref.name));
    const preparing = storage.prepare([stored]);
    if (preparing !== undefined) await preparing;
    const current = storage.show(stored);
    const proposed = await modification.change(current.object);
    if (proposed === current.object) return current;
    const next = modification.ownObject === true ? proposed : deepCopy(proposed);
    checkPreconditions(storage, next, current.object);
    if (modification.asIs === true) {
      keepSystemFields(storage, next, current.object);
      shareParts(next, current.object);
    } else await runLine(storage, { next, old: current.object, modification });
    // An update that changes nothing still brings what is stored up to date: so storage is migrated.
    if (isUnchanged(next, current.object) && !storage.isOutdated(stored)) return current;
    const written = await commit(storage, { key, next, current, modification });
    if (written !== undefined) return written;
  }
  throw refusals.stale(storage.subject(ref.name));
}

function checkPreconditions(storage: ObjectStorage, next: KubeObject, old: KubeObject): void {
  const { resourceVersion, uid } = next.metadata;
  if (uid && uid !== old.metadata.uid) {
    throw refusals.conflict(
      storage.subject(old.metadata.name),
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion && resourceVersion !== "0" && resourceVersion !== old.metadata.resourceVersion) {
    throw refusals.stale(storage.subject(old.metadata.name));
  }
}

interface Update {
  readonly next: KubeObject;
  readonly old: KubeObject;
  readonly modification: Modification;
}

/** Defaults, admission, rules and validation; changes `next`, which has its parts in common with `old` then. */
async function runLine(storage: ObjectStorage, update: Update): Promise<void> {
  const { next, old, modification } = update;
  const { resource, environment } = storage;
  const { admission, clock } = environment;
  const { context, subresource } = modification;
  keepSystemFields(storage, next, old);
  if (subresource === "status") fillStatus(storage, next);
  fillDefaults(storage, update);
  if (modification.ownFields !== true) trackFields(storage, next, { live: old, context, subresource });
  const request = modification.admitted === true ? undefined : admissionRequest(storage, update);
  const admitting = request && admission.admit(request);
  if (admitting !== undefined) await admitting;
  fillDefaults(storage, update);
  const moment = { nowMs: clock.now() };
  if (subresource === undefined) resource.prepareUpdate(next, old, moment);
  else if (subresource === "status") resource.prepareStatusUpdate(next, old, moment);
  else resource.parts?.[subresource]?.prepare(next, old, moment);
  // Nothing changes it any more, and what is the same at a glance need not be looked at.
  shareParts(next, old);
  const { generation } = old.metadata;
  if (generation === undefined) delete next.metadata.generation;
  else next.metadata.generation = countsAsNew(storage, update) ? generation + 1 : generation;
  const { permits } = storage;
  const ungranted = permits === undefined ? [] : await permits.permit({ object: next, old, subresource, context });
  const own = [...ungranted, ...findings(storage, update)];
  const checking = withChecks(storage, update, own);
  const errors = checking instanceof Promise ? await checking : checking;
  if (errors.length > 0) {
    throw refusals.invalid({ group: resource.group, kind: resource.kind, name: old.metadata.name }, errors);
  }
  if (subresource === undefined) for (const text of resource.warnings?.(next, old) ?? []) context.warn(text);
  const validating = request && admission.validate(request);
  if (validating !== undefined) await validating;
}

/** The findings with those of the resource's hooks. */
function withChecks(
  { hooks: { check, checksParts } }: ObjectStorage,
  { next, old, modification }: Update,
  found: readonly FieldError[],
): readonly FieldError[] | Promise<readonly FieldError[]> {
  if (check === undefined || (modification.subresource !== undefined && checksParts !== true)) return found;
  const more = check(next, old, found);
  return more instanceof Promise ? more.then((later) => [...found, ...later]) : [...found, ...more];
}

const besides = new Set(["apiVersion", "kind", "metadata", "status"]);

/**
 * Fills in what was left out. Where a status comes with the very values that are stored, as in this process, it is all there is
 * to look at: they are frozen, have their defaults, and stay. Others that are frozen are copied first.
 */
function fillDefaults({ resource }: ObjectStorage, { next, old, modification }: Update): void {
  if (modification.subresource === "status") {
    const names = Object.keys({ ...old, ...next }).filter((name) => !besides.has(name));
    const same = names.every((name) => Reflect.get(next, name) === Reflect.get(old, name));
    if (same && resource.defaultStatus !== undefined) {
      resource.defaultStatus(next);
      return;
    }
    for (const name of names) {
      const value: unknown = Reflect.get(next, name);
      if (Object.isFrozen(value) && value !== undefined) Reflect.set(next, name, deepCopy(value));
    }
  }
  resource.defaults(next);
}

/** A status that is not said is an empty one, as the original holds it: rules rely on its being there. */
function fillStatus({ schema }: ObjectStorage, next: KubeObject): void {
  const isHeld = schema.field("status")?.always === true;
  if (isHeld && Reflect.get(next, "status") === undefined) Reflect.set(next, "status", {});
}

/** A binding places a pod, and a status tells of one: neither asks anything new of whoever runs it. */
const countsAsNew = ({ resource }: ObjectStorage, { next, old, modification }: Update): boolean =>
  modification.subresource !== "status" &&
  modification.subresource !== "binding" &&
  resource.changesGeneration(next, old);

/** What no client decides: identity, creation, deletion. */
function keepSystemFields({ resource, apiVersion }: ObjectStorage, next: KubeObject, old: KubeObject): void {
  next.kind = resource.kind;
  next.apiVersion = apiVersion;
  const { metadata } = next;
  metadata.resourceVersion = old.metadata.resourceVersion;
  if (!metadata.uid) metadata.uid = old.metadata.uid;
  if (!metadata.creationTimestamp) metadata.creationTimestamp = old.metadata.creationTimestamp;
  if (!metadata.name) metadata.name = old.metadata.name;
  // What is the whole cluster's is in no namespace, whichever was sent.
  if (!old.metadata.namespace) delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = old.metadata.namespace;
  delete metadata.selfLink;
  keep(metadata, old.metadata, "deletionTimestamp");
  keep(metadata, old.metadata, "deletionGracePeriodSeconds");
}

function keep<Name extends "deletionTimestamp" | "deletionGracePeriodSeconds">(
  metadata: KubeObject["metadata"],
  old: KubeObject["metadata"],
  name: Name,
): void {
  if (old[name] === undefined) delete metadata[name];
  else metadata[name] = old[name];
}

function findings({ resource }: ObjectStorage, { next, old, modification }: Update): readonly FieldError[] {
  const common = validateObjectMetaUpdate(resource, next.metadata, old.metadata);
  switch (modification.subresource) {
    case undefined:
      return [...common, ...resource.validate(next, old), ...resource.validateUpdate(next, old)];
    case "status":
      return [...common, ...resource.validateStatusUpdate(next, old)];
    default: {
      const part = resource.parts?.[modification.subresource];
      return [...common, ...(part === undefined ? resource.validate(next, old) : part.validate(next, old))];
    }
  }
}

function admissionRequest({ resource }: ObjectStorage, { next, old, modification }: Update): AdmissionRequest {
  const { context, subresource } = modification;
  return {
    operation: "UPDATE",
    resource,
    subresource,
    kind: resource,
    namespace: old.metadata.namespace,
    name: old.metadata.name,
    object: next,
    oldObject: old,
    user: context.user,
    dryRun: context.dryRun,
    options: () => writeOptions("UpdateOptions", context),
    warn: context.warn,
    annotate: context.annotate,
  };
}

/** The object and its metadata stay its own: both get another revision. */
function shareParts(next: KubeObject, old: KubeObject): void {
  for (const [key, value] of Object.entries(next))
    if (key !== "metadata") Reflect.set(next, key, sharedWith(value, Reflect.get(old, key)));
  for (const [key, value] of Object.entries(next.metadata))
    Reflect.set(next.metadata, key, sharedWith(value, Reflect.get(old.metadata, key)));
}

/** True when nothing but the times of managed fields differs: such an update is not written. */
function isUnchanged(next: KubeObject, old: KubeObject): boolean {
  // Most updates change something, and that is found before anything is copied.
  const { metadata, ...rest } = next;
  const { metadata: oldMetadata, ...oldRest } = old;
  if (!jsonEqual(rest, oldRest)) return false;
  const { managedFields, ...others } = metadata;
  const { managedFields: oldManagedFields, ...oldOthers } = oldMetadata;
  return jsonEqual(others, oldOthers) && jsonEqual(withoutTimes(managedFields), withoutTimes(oldManagedFields));
}

const withoutTimes = (managedFields: readonly unknown[] | undefined): readonly unknown[] =>
  (managedFields ?? []).map((entry) => (isJsonObject(entry) ? { ...entry, time: undefined } : entry));

/** `undefined` when somebody else was faster. */
async function commit(
  storage: ObjectStorage,
  write: {
    readonly key: string;
    readonly next: KubeObject;
    readonly current: ServedObject;
    readonly modification: Modification;
  },
): Promise<ServedObject | undefined> {
  const { key, next, current, modification } = write;
  const { dryRun } = modification.context;
  const reservation = storage.hooks.reserve?.(next, current.object, { dryRun }) ?? nothingReserved;
  if (dryRun) {
    reservation.rollback();
    return ServedObject.fromObject(next, current.revision);
  }
  try {
    const written = isFinalized(next)
      ? await dropFinalized(storage, key, next, current)
      : await storage.put(key, next, current.revision, reservation.claims);
    if (written === undefined) reservation.rollback();
    else reservation.commit();
    return written;
  } catch (error) {
    reservation.rollback();
    // The next attempt sees who has it.
    if (error instanceof ClaimTaken) return undefined;
    throw error;
  }
}

/** The last finalizer went with this update, so the object goes, too. */
async function dropFinalized(
  storage: ObjectStorage,
  key: string,
  next: KubeObject,
  current: ServedObject,
): Promise<ServedObject | undefined> {
  const revision = await storage.drop(key, current.revision, next);
  if (revision === undefined) return undefined;
  storage.hooks.release?.(next);
  next.metadata.resourceVersion = String(revision);
  return ServedObject.fromObject(next, revision);
}
