import {
  type New,
  type OwnerReference,
  ownerReference,
  type PersistentVolumeClaim,
  type Pod,
  Pods,
  type StatefulSet,
  StatefulSets,
} from "@skiff/api";
import { deepCopy } from "@skiff/base";

/** `data-web-0`: template, set, ordinal. */
export const claimName = (
  set: StatefulSet,
  template: { readonly metadata?: { readonly name?: string | undefined } | undefined },
  ordinal: number,
): string => `${template.metadata?.name ?? ""}-${set.metadata.name}-${ordinal}`;

/** The claims that the pod of an ordinal needs, as they are made when they are missing. */
export function claimsOf(set: StatefulSet, ordinal: number): readonly New<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { labels, annotations } = deepCopy(template.metadata ?? {});
    return {
      metadata: {
        name: claimName(set, template, ordinal),
        namespace: set.metadata.namespace,
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations === undefined ? {} : { annotations }),
        ...ownersPart(wantedOwners(set, ordinal, undefined)),
      },
      spec: deepCopy(template.spec ?? {}),
    };
  });
}

const ownersPart = (owners: readonly OwnerReference[]) => (owners.length === 0 ? {} : { ownerReferences: [...owners] });

/**
 * Whose going takes a claim along: the set's, the pod's when the set shrinks below its ordinal, or nobody's.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
 */
export function wantedOwners(set: StatefulSet, ordinal: number, pod: Pod | undefined): readonly OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const start = set.spec.ordinals?.start ?? 0;
  const condemned = ordinal < start || ordinal >= start + (set.spec.replicas ?? 1);
  if (whenScaled === "Delete" && condemned) return pod === undefined ? [] : [ownerReference(Pods, pod)];
  return whenDeleted === "Delete" ? [ownerReference(StatefulSets, set)] : [];
}

/** What is to be done about the owners of a claim. */
export type ClaimOwners =
  | { readonly kind: "keep" }
  /** `conflict`: somebody else controls the claim, and the set gives up what it had on it. */
  | { readonly kind: "set"; readonly owners: readonly OwnerReference[]; readonly conflict: boolean };

/**
 * Brings a claim's owners to what the retention policy says. A claim of a former set or pod of the same name is left
 * to the garbage collector, and one that somebody else controls to them.
 */
export function ownersToSet(
  set: StatefulSet,
  claim: PersistentVolumeClaim,
  { ordinal, pod }: { readonly ordinal: number; readonly pod: Pod },
): ClaimOwners {
  const present = claim.metadata.ownerReferences ?? [];
  const mine = [ownerReference(StatefulSets, set), ownerReference(Pods, pod)];
  const namesake = (owner: OwnerReference) => mine.find((own) => sameName(own, owner));
  const has = present.filter((owner) => namesake(owner) !== undefined);
  if (has.some((owner) => owner.uid !== namesake(owner)?.uid)) return { kind: "keep" };
  const others = present.filter((owner) => namesake(owner) === undefined);
  if (deletesClaims(set) && others.some(({ controller }) => controller === true)) {
    return has.length === 0 ? { kind: "keep" } : { kind: "set", owners: others, conflict: true };
  }
  const wanted = wantedOwners(set, ordinal, pod);
  const isAsWanted = (owner: OwnerReference) =>
    owner.controller === true && wanted.some(({ uid }) => uid === owner.uid);
  if (has.length === wanted.length && has.every(isAsWanted)) return { kind: "keep" };
  return { kind: "set", owners: [...others, ...wanted], conflict: false };
}

const sameName = (a: OwnerReference, b: OwnerReference): boolean =>
  a.kind === b.kind && a.apiVersion === b.apiVersion && a.name === b.name;

/** Whether the set deletes claims at all. */
const deletesClaims = ({ spec }: StatefulSet): boolean => {
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return whenDeleted === "Delete" || whenScaled === "Delete";
};

/** Whether a claim goes with a pod of this name that was there before: the garbage collector takes it away soon. */
export const belongsToFormerPod = (set: StatefulSet, claim: PersistentVolumeClaim, podName: string): boolean =>
  set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete" &&
  (claim.metadata.ownerReferences ?? []).some(
    ({ kind, apiVersion, name }) => kind === "Pod" && apiVersion === "v1" && name === podName,
  );
