import {
  asUnits,
  CSIDrivers,
  CSIStorageCapacities,
  type CSIStorageCapacity,
  type Node,
  type PersistentVolumeClaim,
  type StorageClass,
} from "@skiff/api";
import type { ClusterView } from "../framework.ts";
import { selectorOf } from "../topology/pod-terms.ts";

const byClass = "the class that a capacity is of";

/**
 * Whether a driver has room for the claim where the node is. Drivers that do not tell how much they have always have.
 * https://kubernetes.io/docs/concepts/storage/storage-capacity/
 */
export function hasCapacity(
  { spec }: PersistentVolumeClaim,
  { metadata, provisioner }: StorageClass,
  node: Node,
  cluster: ClusterView,
): boolean {
  const wanted = spec.resources?.requests?.storage;
  if (wanted === undefined) return true;
  if (cluster.informer(CSIDrivers).get(provisioner)?.spec.storageCapacity !== true) return true;
  const capacities = cluster.informer(CSIStorageCapacities);
  capacities.addIndex(byClass, ({ storageClassName }) => [storageClassName]);
  const bytes = asUnits(wanted);
  return capacities
    .byIndex(byClass, metadata.name)
    .some((capacity) => (volumeLimit(capacity) ?? -1) >= bytes && isAccessible(capacity, node));
}

/** The largest volume that there is room for, in bytes; `undefined`: nobody knows of any. */
export function volumeLimit({ capacity, maximumVolumeSize }: Partial<CSIStorageCapacity>): number | undefined {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? undefined : asUnits(limit);
}

const isAccessible = ({ nodeTopology }: CSIStorageCapacity, { metadata }: Node): boolean =>
  nodeTopology !== undefined && selectorOf(nodeTopology).matches(metadata.labels);
