import { type KubeObject, type ObjectRef, refusals } from "@skiff/api";
import { deepCopy, jsonEqual, timestamp } from "@skiff/base";
import { deleteOptions } from "../admission/request-options.ts";
import { ServedObject } from "../cache/served-object.ts";
import type { DeleteRequest, WriteContext } from "../contracts.ts";
import { finalizersFor, isFinalized, isHeld } from "./finalizers.ts";
import type { ObjectStorage } from "./object-storage.ts";

/** What a deletion came to: the object as it was last, and whether it is gone or only marked. */
export interface Removed {
  readonly served: ServedObject;
  readonly gone: boolean;
}

const attempts = 100;

/** The line of a deletion. Marks the object while its grace period or finalizers hold it. */
export async function removeObject(
  storage: ObjectStorage,
  ref: ObjectRef,
  how: {
    readonly request: DeleteRequest;
    readonly context: WriteContext;
    /** Admission has decided already. */
    readonly admitted?: boolean | undefined;
  },
): Promise<Removed> {
  const key = storage.key(ref);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = storage.cache.get(key);
    if (stored === undefined) throw refusals.notFound(storage.subject(ref.name));
    const preparing = storage.prepare([stored]);
    if (preparing !== undefined) await preparing;
    const current = storage.show(stored);
    checkPreconditions(storage, current.object, how.request);
    if (how.admitted !== true) await admit(storage, current.object, how);
    const marked = markedObject(storage, current.object, how.request);
    const removed =
      marked === undefined
        ? await drop(storage, key, current, how.context)
        : await mark(storage, { key, marked, current, dryRun: how.context.dryRun });
    if (removed !== undefined) return removed;
  }
  throw refusals.stale(storage.subject(ref.name));
}

function checkPreconditions(storage: ObjectStorage, { metadata }: KubeObject, { preconditions }: DeleteRequest): void {
  const subject = storage.subject(metadata.name);
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid) {
    throw refusals.conflict(
      subject,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion) {
    throw refusals.conflict(
      subject,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

async function admit(
  { resource, environment }: ObjectStorage,
  old: KubeObject,
  how: { readonly request: DeleteRequest; readonly context: WriteContext },
): Promise<void> {
  const { context } = how;
  const request = {
    operation: "DELETE",
    resource,
    subresource: undefined,
    kind: resource,
    namespace: old.metadata.namespace,
    name: old.metadata.name,
    object: undefined,
    oldObject: old,
    user: context.user,
    dryRun: context.dryRun,
    options: () => deleteOptions(how.request, context),
    warn: context.warn,
    annotate: context.annotate,
  } as const;
  await environment.admission.admit(request);
  await environment.admission.validate(request);
}

/** The object as it is while something holds it; `undefined` when it may go at once. */
function markedObject(storage: ObjectStorage, current: KubeObject, request: DeleteRequest): KubeObject | undefined {
  const { resource, environment, hooks } = storage;
  const mayChange = hooks.removing !== undefined || hooks.marked !== undefined;
  const next = mayChange ? deepCopy(current) : { ...current, metadata: deepCopy(current.metadata) };
  const { metadata } = next;
  const finalizers = finalizersFor(metadata.finalizers ?? [], request.propagationPolicy, resource);
  if (finalizers.length > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  const asked = request.gracePeriodSeconds;
  const grace = resource.gracePeriodSeconds?.(current, asked) ?? 0;
  const nowMs = environment.clock.now();
  if (metadata.deletionTimestamp === undefined) {
    hooks.removing?.(next);
    if (grace === 0 && !isHeld(next)) return undefined;
    metadata.deletionTimestamp = timestamp(nowMs + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation++;
    hooks.marked?.(next);
    return next;
  }
  const before = metadata.deletionGracePeriodSeconds ?? 0;
  if (before > 0 && (asked !== undefined || grace === 0) && grace < before) {
    const beganMs = Date.parse(metadata.deletionTimestamp) - before * 1000;
    metadata.deletionTimestamp = timestamp(grace === 0 ? nowMs : beganMs + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
  return isFinalized(next) ? undefined : next;
}

async function drop(
  storage: ObjectStorage,
  key: string,
  current: ServedObject,
  { dryRun }: WriteContext,
): Promise<Removed | undefined> {
  if (dryRun) return { served: current, gone: true };
  const revision = await storage.drop(key, current.revision, current.object);
  if (revision === undefined) return undefined;
  storage.hooks.release?.(current.object);
  return { served: current.at(revision), gone: true };
}

async function mark(
  storage: ObjectStorage,
  write: {
    readonly key: string;
    readonly marked: KubeObject;
    readonly current: ServedObject;
    readonly dryRun: boolean;
  },
): Promise<Removed | undefined> {
  const { key, marked, current, dryRun } = write;
  if (jsonEqual(marked, current.object)) return { served: current, gone: false };
  if (dryRun) return { served: ServedObject.fromObject(marked, current.revision), gone: false };
  const served = await storage.put(key, marked, current.revision);
  return served === undefined ? undefined : { served, gone: false };
}
