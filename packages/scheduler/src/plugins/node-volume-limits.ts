import {
  type CSINode,
  CSINodes,
  type KubeObject,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  StorageClasses,
  VolumeAttachments,
} from "@skiff/api";
import type { CacheChange } from "@skiff/client";
import { type ClusterView, definePlugin, type FilterRequest, fits, lacks, type Plugin, rejects } from "../framework.ts";
import { claimClass, claimNames } from "./volume-claims.ts";

const tooMany = lacks("node(s) exceed max volume count");
const byNode = "the node of an attachment";

/** A driver attaches no more volumes to a node than the node's CSINode says, however many pods share one. */
export const nodeVolumeLimits = (): Plugin =>
  definePlugin({
    name: "NodeVolumeLimits",
    watches: [CSINodes, PersistentVolumeClaims, PersistentVolumes, StorageClasses, VolumeAttachments],
    concerns: (pod) => claimNames(pod).length > 0,
    retryOn: [
      { kind: "object", resource: CSINodes, helps: ({ change }) => offersMore(change) },
      { kind: "podGone", helps: ({ gone }) => claimNames(gone).length > 0 },
      {
        kind: "object",
        resource: PersistentVolumeClaims,
        helps: ({ pod, change: { kind, object } }) =>
          kind === "added" &&
          object.metadata.namespace === pod.metadata.namespace &&
          claimNames(pod).some(({ name }) => name === object.metadata.name),
      },
      { kind: "object", resource: VolumeAttachments, helps: ({ change }) => change.kind === "deleted" },
    ],
    preFilter(pod, cluster) {
      const wanted = volumesOf(pod, cluster);
      return { kind: "look", filter: (request) => verdict(request, wanted, cluster) };
    },
  });

/** Volumes by a name that tells them apart, each with its driver. `missing`: why they cannot be told. */
interface Volumes {
  readonly drivers: ReadonlyMap<string, string>;
  readonly missing: string | undefined;
}

function verdict({ node }: FilterRequest, { drivers, missing }: Volumes, cluster: ClusterView) {
  if (missing !== undefined) return rejects(missing);
  const limits = limitsOf(cluster.informer(CSINodes).get(node.name));
  const added = new Map([...drivers].filter(([, driver]) => limits.has(driver)));
  if (added.size === 0) return fits;
  const attached = new Map<string, string>();
  for (const other of node.pods)
    for (const [name, driver] of volumesOf(other, cluster).drivers) attached.set(name, driver);
  for (const name of attached.keys()) added.delete(name);
  for (const [name, driver] of attachmentsOn(node.name, cluster)) attached.set(name, driver);
  for (const driver of new Set(added.values())) {
    if (countOf(attached, driver) + countOf(added, driver) > (limits.get(driver) ?? 0)) return tooMany;
  }
  return fits;
}

const countOf = (volumes: ReadonlyMap<string, string>, driver: string): number => {
  let count = 0;
  for (const one of volumes.values()) if (one === driver) count++;
  return count;
};

const limitsOf = (csiNode: Pick<CSINode, "spec"> | undefined): ReadonlyMap<string, number> =>
  new Map(
    (csiNode?.spec.drivers ?? []).flatMap(({ name, allocatable }): (readonly [string, number])[] =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count]],
    ),
  );

function volumesOf(pod: Pod, cluster: ClusterView): Volumes {
  const drivers = new Map<string, string>();
  const { namespace } = pod.metadata;
  let missing: string | undefined;
  for (const { name } of claimNames(pod)) {
    const claim = cluster.informer(PersistentVolumeClaims).get(name, namespace);
    if (claim === undefined) {
      missing ??= `looking up PVC ${namespace}/${name}: persistentvolumeclaim ${JSON.stringify(name)} not found`;
      continue;
    }
    const volume = volumeOf(claim, cluster);
    if (volume !== undefined) drivers.set(volume.name, volume.driver);
  }
  return { drivers, missing };
}

interface DriverVolume {
  readonly name: string;
  readonly driver: string;
}

const driverVolume = (driver: string, handle: string): DriverVolume => ({ name: `${driver}/${handle}`, driver });

/** What a driver attaches for a claim; a claim that has no volume yet stands for one of its class. */
function volumeOf(claim: PersistentVolumeClaim, cluster: ClusterView): DriverVolume | undefined {
  const volume = cluster.informer(PersistentVolumes).get(claim.spec.volumeName ?? "");
  if (volume !== undefined) {
    const { csi } = volume.spec;
    return csi === undefined ? undefined : driverVolume(csi.driver, csi.volumeHandle);
  }
  const storageClass = cluster.informer(StorageClasses).get(claimClass(claim));
  // No handle of a driver begins with a space.
  return storageClass && driverVolume(storageClass.provisioner, ` ${claim.metadata.namespace}/${claim.metadata.name}`);
}

function attachmentsOn(node: string, cluster: ClusterView): readonly (readonly [string, string])[] {
  const attachments = cluster.informer(VolumeAttachments);
  attachments.addIndex(byNode, ({ spec }) => [spec.nodeName]);
  return attachments.byIndex(byNode, node).flatMap(({ spec }): (readonly [string, string])[] => {
    const { persistentVolumeName, inlineVolumeSpec } = spec.source;
    const volume = persistentVolumeName ? cluster.informer(PersistentVolumes).get(persistentVolumeName) : undefined;
    const csi = volume?.spec.csi ?? inlineVolumeSpec?.csi;
    return csi === undefined ? [] : [[driverVolume(csi.driver, csi.volumeHandle).name, csi.driver]];
  });
}

/** A node that drivers are new on, or that takes more volumes of one. */
function offersMore(change: CacheChange<KubeObject>): boolean {
  if (change.kind !== "updated") return change.kind === "added";
  if (!isCsiNode(change.object) || !isCsiNode(change.old)) return true;
  const before = limitsOf(change.old);
  return [...limitsOf(change.object)].some(([driver, count]) => count > (before.get(driver) ?? 0));
}

/** The cache of CSINodes holds nothing else. */
const isCsiNode = (object: KubeObject): object is CSINode => "spec" in object;
