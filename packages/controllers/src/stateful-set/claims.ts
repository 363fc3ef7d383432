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

/** The owners that a claim shall have instead of those it has; `undefined` when they are as they should be. */
export function ownersToSet(
  set: StatefulSet,
  claim: PersistentVolumeClaim,
  { ordinal, pod }: { readonly ordinal: number; readonly pod: Pod | undefined },
): readonly OwnerReference[] | undefined {
  const present = claim.metadata.ownerReferences ?? [];
  const ours = ({ kind, name, uid }: OwnerReference) =>
    uid === set.metadata.uid || (kind === "Pod" && name === `${set.metadata.name}-${ordinal}`);
  const wanted = wantedOwners(set, ordinal, pod);
  const has = present.filter(ours);
  const same = has.length === wanted.length && wanted.every(({ uid }) => has.some((owner) => owner.uid === uid));
  return same ? undefined : [...present.filter((owner) => !ours(owner)), ...wanted];
}
