import {
  compareQuantities,
  type Node,
  nodeSelectorMatches,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumes,
  type Pod,
  type StorageClass,
  StorageClasses,
} from "@skiff/api";
import type { ClusterView } from "../framework.ts";
import { selectorOf } from "../topology/pod-terms.ts";

const noProvisioner = "kubernetes.io/no-provisioner";

/** A claim that a pod names, or that is made for a volume of it. */
export interface ClaimName {
  readonly name: string;
  readonly isEphemeral: boolean;
}

/** The claims of a pod by name. */
export const claimNames = ({ metadata, spec }: Pod): readonly ClaimName[] =>
  (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): readonly ClaimName[] => {
    if (persistentVolumeClaim !== undefined) return [{ name: persistentVolumeClaim.claimName, isEphemeral: false }];
    return ephemeral === undefined ? [] : [{ name: `${metadata.name}-${name}`, isEphemeral: true }];
  });

/** Claim and volume have found each other, and both say so. */
export const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.["pv.kubernetes.io/bind-completed"] !== undefined;

/** The class of a claim; empty where it has none. */
export const claimClass = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";

/** The node for which a volume is being made. */
export const selectedNode = ({ metadata }: PersistentVolumeClaim): string | undefined =>
  metadata.annotations?.["volume.kubernetes.io/selected-node"];

/** The smallest volume that does for the claim on the node. */
export function findVolume(
  claim: PersistentVolumeClaim,
  node: Node,
  cluster: ClusterView,
  isFree: (volume: PersistentVolume) => boolean,
): PersistentVolume | undefined {
  const { spec, metadata } = claim;
  const wanted = spec.resources?.requests?.storage ?? "0";
  const selector = spec.selector === undefined ? undefined : selectorOf(spec.selector);
  const fitting = cluster
    .informer(PersistentVolumes)
    .list()
    .filter((volume) => {
      const {
        claimRef,
        accessModes = [],
        capacity,
        volumeMode = "Filesystem",
        storageClassName = "",
        nodeAffinity,
      } = volume.spec;
      const isOurs = claimRef?.name === metadata.name && claimRef.namespace === metadata.namespace;
      return (
        isFree(volume) &&
        volume.metadata.deletionTimestamp === undefined &&
        (claimRef === undefined
          ? volume.status?.phase === "Available"
          : isOurs && (claimRef.uid ?? metadata.uid) === metadata.uid) &&
        storageClassName === claimClass(claim) &&
        volumeMode === (spec.volumeMode ?? "Filesystem") &&
        (spec.accessModes ?? []).every((mode) => accessModes.includes(mode)) &&
        compareQuantities(capacity?.storage ?? "0", wanted) >= 0 &&
        (selector?.matches(volume.metadata.labels) ?? true) &&
        (nodeAffinity?.required === undefined || nodeSelectorMatches(nodeAffinity.required, node))
      );
    });
  const sizeOf = ({ spec: { capacity } }: PersistentVolume) => capacity?.storage ?? "0";
  return fitting.sort((a, b) => compareQuantities(sizeOf(a), sizeOf(b)))[0];
}

/** The class that can make a volume for the claim where the node is, room aside. */
export function provisioningClass(
  claim: PersistentVolumeClaim,
  node: Node,
  cluster: ClusterView,
): StorageClass | undefined {
  const storageClass = cluster.informer(StorageClasses).get(claimClass(claim));
  if (storageClass === undefined || storageClass.provisioner === noProvisioner) return undefined;
  return servesNode(storageClass, node) ? storageClass : undefined;
}

function servesNode(storageClass: StorageClass, node: Node): boolean {
  const topologies = storageClass.allowedTopologies ?? [];
  return (
    topologies.length === 0 ||
    topologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(node.metadata.labels?.[key] ?? "")),
    )
  );
}
