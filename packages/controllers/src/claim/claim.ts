import {
  controllerOf,
  hasReason,
  isNotFound,
  type KubeObject,
  type LabelMatcher,
  ownerReference,
  type ResourceDefinition,
} from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import { planClaims } from "./plan.ts";

const orphans = "without controller, by namespace";

/** The objects of a resource in the owner's namespace that are the owner's or nobody's. */
function candidates<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  owner: KubeObject,
  { cached, owned }: Pick<ReconcileContext, "cached" | "owned">,
): readonly T[] {
  const cache = cached(resource);
  cache.addIndex(orphans, (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : []));
  return [...owned(resource, owner), ...cache.byIndex(orphans, owner.metadata.namespace ?? "")];
}

/** Adopts and releases, and gives what now is the owner's. `eligible` leaves out what may stay with whom it is. */
export async function claim<T extends KubeObject, Owner extends KubeObject>(
  request: {
    readonly owner: Owner;
    readonly ownerResource: ResourceDefinition<Owner>;
    readonly resource: ResourceDefinition<T>;
    readonly selector: LabelMatcher;
    readonly eligible?: (object: T) => boolean;
    /** Holds what is the owner's: it comes with the ownership, and goes with it. */
    readonly finalizer?: string;
  },
  context: ReconcileContext,
): Promise<readonly T[]> {
  const { owner, ownerResource, resource, selector, finalizer } = request;
  const { client, signal } = context;
  const eligible = candidates(resource, owner, context).filter(request.eligible ?? (() => true));
  const plan = planClaims(owner, selector, eligible);
  const mine = [...plan.keep];
  if (plan.adopt.length > 0 && (await stillThere(ownerResource, owner, context))) {
    for (const object of plan.adopt) {
      const { uid, name, namespace } = object.metadata;
      const holds = finalizer === undefined ? {} : { finalizers: [finalizer] };
      const patch = { metadata: { uid, ownerReferences: [ownerReference(ownerResource, owner)], ...holds } };
      mine.push(await client.patch(resource, { name, namespace }, patch, { type: "strategic", signal }));
    }
  }
  for (const object of plan.release) {
    const { uid, name, namespace } = object.metadata;
    const holds = finalizer === undefined ? {} : { "$deleteFromPrimitiveList/finalizers": [finalizer] };
    const patch = { metadata: { uid, ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }], ...holds } };
    try {
      await client.patch(resource, { name, namespace }, patch, { type: "strategic", signal });
    } catch (error) {
      // Gone, or another object by that name: either way it is not held any more.
      if (!isNotFound(error) && !hasReason(error, "Invalid")) throw error;
    }
  }
  return mine;
}

/** Asked of the API, not the cache: whoever adopts for an owner that is gone makes objects that nobody deletes. */
async function stillThere<Owner extends KubeObject>(
  resource: ResourceDefinition<Owner>,
  owner: Owner,
  { client, signal }: ReconcileContext,
): Promise<boolean> {
  try {
    const { metadata } = await client.get(resource, owner.metadata, { signal });
    return metadata.uid === owner.metadata.uid && metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
