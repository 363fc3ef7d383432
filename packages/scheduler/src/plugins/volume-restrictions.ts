import { PersistentVolumeClaims, type Pod, type Volume } from "@skiff/api";
import {
  type ClusterView,
  definePlugin,
  type FilterRequest,
  fits,
  lacks,
  type PreFilterResult,
  skip,
} from "../framework.ts";
import { claimsNamed } from "../topology/claim-use.ts";

const noDisk = lacks("node(s) had no available disk");
const claimTaken = lacks(
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
);

/**
 * A disk that only one pod may have is had by one pod at a time: volumes of some old kinds on each node, and claims of the access
 * mode ReadWriteOncePod anywhere. Both are free again when the other pod goes.
 */
export const volumeRestrictions = definePlugin({
  name: "VolumeRestrictions",
  watches: [PersistentVolumeClaims],
  concerns: ({ spec }) =>
    (spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined || isRestricted(volume)),
  retryOn: [
    { kind: "nodeAdded" },
    { kind: "podGone", helps: ({ pod, gone }) => mayHaveBeenInTheWay(pod, gone) },
    {
      kind: "object",
      resource: PersistentVolumeClaims,
      helps: ({ pod, change: { kind, object } }) =>
        kind === "added" &&
        object.metadata.namespace === pod.metadata.namespace &&
        claimsNamed(pod.spec.volumes).has(object.metadata.name),
    },
  ],
  preFilter: lookOf,
});

function mayHaveBeenInTheWay(pod: Pod, gone: Pod): boolean {
  if (gone.metadata.namespace !== pod.metadata.namespace) return false;
  const theirs = claimsNamed(gone.spec.volumes);
  return [...claimsNamed(pod.spec.volumes)].some((name) => theirs.has(name)) || clashes(pod, gone);
}

function lookOf(pod: Pod, cluster: ClusterView): PreFilterResult {
  const { namespace } = pod.metadata;
  const exclusive = new Set<string>();
  for (const name of claimsNamed(pod.spec.volumes)) {
    const claim = cluster.informer(PersistentVolumeClaims).get(name, namespace);
    if (claim === undefined) {
      const reason = `persistentvolumeclaim ${JSON.stringify(name)} not found`;
      return { kind: "rejected", reason, resolvable: false };
    }
    if (claim.spec.accessModes?.includes("ReadWriteOncePod")) exclusive.add(name);
  }
  const taken = [...exclusive].filter((name) => cluster.claims.count(name, namespace) > 0).length;
  const restricted = (pod.spec.volumes ?? []).some(isRestricted);
  if (!restricted && taken === 0) return skip;
  const usesOf = (pods: readonly Pod[]) =>
    pods
      .filter(({ metadata }) => metadata.namespace === namespace)
      .reduce((sum, { spec }) => sum + [...claimsNamed(spec.volumes)].filter((name) => exclusive.has(name)).length, 0);
  const filter = ({ node, supposing }: FilterRequest) => {
    if (restricted) for (const other of node.pods) if (clashes(pod, other)) return noDisk;
    const supposed = supposing === undefined ? 0 : usesOf(supposing.added) - usesOf(supposing.gone);
    return taken + supposed > 0 ? claimTaken : fits;
  };
  return { kind: "look", filter };
}

const isRestricted = (volume: Volume): boolean =>
  volume.gcePersistentDisk !== undefined ||
  volume.awsElasticBlockStore !== undefined ||
  volume.rbd !== undefined ||
  volume.iscsi !== undefined;

const clashes = (pod: Pod, other: Pod): boolean =>
  (pod.spec.volumes ?? []).some(
    (volume) => isRestricted(volume) && (other.spec.volumes ?? []).some((theirs) => clash(volume, theirs)),
  );

/** The same disk, and not both only read it. */
function clash(a: Volume, b: Volume): boolean {
  const isRead = (one: { readonly readOnly?: boolean | undefined }, two: { readonly readOnly?: boolean | undefined }) =>
    one.readOnly === true && two.readOnly === true;
  const [disk, otherDisk] = [a.gcePersistentDisk, b.gcePersistentDisk];
  if (disk && otherDisk && disk.pdName === otherDisk.pdName && !isRead(disk, otherDisk)) return true;
  const [store, otherStore] = [a.awsElasticBlockStore, b.awsElasticBlockStore];
  if (store && otherStore && store.volumeID === otherStore.volumeID) return true;
  const [target, otherTarget] = [a.iscsi, b.iscsi];
  if (target && otherTarget && target.iqn === otherTarget.iqn && !isRead(target, otherTarget)) return true;
  const [image, otherImage] = [a.rbd, b.rbd];
  return (
    image !== undefined &&
    otherImage !== undefined &&
    image.monitors.some((monitor) => otherImage.monitors.includes(monitor)) &&
    (image.pool ?? "rbd") === (otherImage.pool ?? "rbd") &&
    image.image === otherImage.image &&
    !isRead(image, otherImage)
  );
}
