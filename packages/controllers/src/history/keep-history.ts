import {
  type ControllerRevision,
  ControllerRevisions,
  type DaemonSet,
  isAlreadyExists,
  isNotFound,
  labelSelectorOf,
  ownerReference,
  podTemplateHash,
  type ResourceDefinition,
  type StatefulSet,
} from "@skiff/api";
import { type JsonObject, jsonEqual } from "@skiff/base";
import type { ReconcileContext } from "@skiff/control-loop";
import { claim } from "../claim/claim.ts";
import { expiredRevisions, planRevision, revisionData } from "./plan.ts";

/** The revisions of an owner and the one of its present template. */
export interface History {
  readonly revisions: readonly ControllerRevision[];
  readonly current: ControllerRevision;
  /** How often a name was taken by another template; goes into the owner's status. */
  readonly collisionCount: number;
}

type Owner = StatefulSet | DaemonSet;

/** Makes sure that the newest revision is that of the owner's template. `hashLabel` is where revisions carry their hash. */
export async function keepHistory<T extends Owner>(
  resource: ResourceDefinition<T>,
  owner: T,
  options: { readonly hashLabel: string },
  context: ReconcileContext,
): Promise<History> {
  const { client, signal } = context;
  const selector = labelSelectorOf(owner.spec.selector);
  const revisions = await claim({ owner, ownerResource: resource, resource: ControllerRevisions, selector }, context);
  const data = revisionData(owner.spec.template);
  const plan = planRevision(revisions, data);
  const collisionCount = owner.status?.collisionCount ?? 0;
  switch (plan.kind) {
    case "keep":
      return { revisions, current: plan.revision, collisionCount };
    case "renumber": {
      const changed = { ...plan.revision, revision: plan.number };
      const current = await client.update(ControllerRevisions, changed, { signal });
      const others = revisions.filter((revision) => revision !== plan.revision);
      return { revisions: [...others, current], current, collisionCount };
    }
    case "create": {
      const wanted = { resource, owner, data, number: plan.number, hashLabel: options.hashLabel };
      const made = await create(wanted, collisionCount, context);
      return { ...made, revisions: [...revisions, made.current] };
    }
  }
}

interface WantedRevision<T extends Owner> {
  readonly resource: ResourceDefinition<T>;
  readonly owner: T;
  readonly data: JsonObject;
  readonly number: number;
  readonly hashLabel: string;
}

/** Tries other names while somebody else's revision has the one that follows from the template. */
async function create<T extends Owner>(
  { resource, owner, data, number, hashLabel }: WantedRevision<T>,
  collisionCount: number,
  { client, signal }: ReconcileContext,
): Promise<Omit<History, "revisions">> {
  const { metadata, spec } = owner;
  for (let collisions = collisionCount; ; collisions++) {
    const hash = podTemplateHash(spec.template, collisions === 0 ? undefined : collisions);
    const name = `${metadata.name}-${hash}`;
    try {
      const revision = {
        metadata: {
          name,
          namespace: metadata.namespace,
          labels: { ...spec.template.metadata?.labels, [hashLabel]: hash },
          ...(metadata.annotations === undefined ? {} : { annotations: { ...metadata.annotations } }),
          ownerReferences: [ownerReference(resource, owner)],
        },
        data,
        revision: number,
      };
      const current = await client.create(ControllerRevisions, revision, { signal });
      return { current, collisionCount: collisions };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const current = await client.get(ControllerRevisions, { name, namespace: metadata.namespace }, { signal });
      // Our own, made a moment ago: the cache does not know it yet.
      if (jsonEqual(current.data, data)) return { current, collisionCount: collisions };
    }
  }
}

/** Deletes what the history's limit lets go. */
export async function truncateHistory(
  { spec }: Owner,
  { revisions }: History,
  isLive: (revision: ControllerRevision) => boolean,
  { client, signal }: ReconcileContext,
): Promise<void> {
  for (const { metadata } of expiredRevisions(revisions, { limit: spec.revisionHistoryLimit ?? 10, isLive })) {
    try {
      await client.delete(ControllerRevisions, metadata, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
