import {
  type PersistentVolume,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  type StorageClass,
  StorageClasses,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { type ClusterView, definePlugin, fits, type PreFilterResult, rejects, skip } from "../framework.ts";
import { claimsNamed } from "../topology/claim-use.ts";
import { claimClass } from "./volume-claims.ts";

const elsewhere = rejects("node(s) had no available volume zone");
const zone = "topology.kubernetes.io/zone";
const region = "topology.kubernetes.io/region";
/** Labels that say where a volume is, and what they are called today. */
const places: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": zone,
  "failure-domain.beta.kubernetes.io/region": region,
  [zone]: zone,
  [region]: region,
};

interface Place {
  readonly key: string;
  readonly values: readonly string[];
}

/** Volumes whose labels say where they are are for nodes of that zone and region; nodes that are nowhere take all. */
export const volumeZone = definePlugin({
  name: "VolumeZone",
  watches: [PersistentVolumeClaims, PersistentVolumes, StorageClasses],
  concerns: ({ spec }) => (spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined),
  retryOn: [
    { kind: "nodeAdded" },
    { kind: "nodeUpdated", helps: ({ node, old }) => node.metadata.labels !== old.metadata.labels },
    {
      kind: "object",
      resource: StorageClasses,
      helps: ({ change: { kind, object } }) => kind === "added" && isWaiting(object),
    },
    {
      kind: "object",
      resource: PersistentVolumeClaims,
      helps: ({ pod, change: { kind, object } }) =>
        kind !== "deleted" &&
        object.metadata.namespace === pod.metadata.namespace &&
        claimsNamed(pod.spec.volumes).has(object.metadata.name),
    },
    {
      kind: "object",
      resource: PersistentVolumes,
      helps: ({ change }) =>
        change.kind === "added" ||
        (change.kind === "updated" && !jsonEqual(placesOf(change.object), placesOf(change.old))),
    },
  ],
  preFilter: lookOf,
});

const isWaiting = (object: object): boolean =>
  "volumeBindingMode" in object && object.volumeBindingMode === "WaitForFirstConsumer";

function placesOf({ metadata }: Pick<PersistentVolume, "metadata">): Place[] {
  return Object.keys(places).flatMap((key): Place[] => {
    const value = metadata.labels?.[key];
    // A volume can be in several zones: `zone-a__zone-b`.
    return value === undefined ? [] : [{ key, values: value.split("__").map((one) => one.trim()) }];
  });
}

function lookOf(pod: Pod, cluster: ClusterView): PreFilterResult {
  const wanted: Place[] = [];
  const refused = (reason: string): PreFilterResult => ({ kind: "rejected", reason, resolvable: false });
  for (const name of claimsNamed(pod.spec.volumes)) {
    const claim = cluster.informer(PersistentVolumeClaims).get(name, pod.metadata.namespace);
    if (claim === undefined) return refused(`persistentvolumeclaim ${JSON.stringify(name)} not found`);
    const { volumeName } = claim.spec;
    if (!volumeName) {
      const refusal = refusalOfUnbound(claimClass(claim), cluster);
      if (refusal !== undefined) return refused(refusal);
      continue;
    }
    const volume = cluster.informer(PersistentVolumes).get(volumeName);
    if (volume === undefined) return refused(`persistentvolume ${JSON.stringify(volumeName)} not found`);
    wanted.push(...placesOf(volume));
  }
  if (wanted.length === 0) return skip;
  return {
    kind: "look",
    filter({ node }) {
      const labels = node.node.metadata.labels ?? {};
      if (!Object.keys(places).some((key) => key in labels)) return fits;
      const isThere = ({ key, values }: Place) => values.includes(labels[key] ?? labels[places[key] ?? ""] ?? "");
      return wanted.every(isThere) ? fits : elsewhere;
    },
  };
}

/** Claims that wait for their first pod have no zone yet. */
function refusalOfUnbound(className: string, cluster: ClusterView): string | undefined {
  if (className === "") return "PersistentVolumeClaim had no pv name and storageClass name";
  const storageClass: StorageClass | undefined = cluster.informer(StorageClasses).get(className);
  if (storageClass === undefined) return `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`;
  const { volumeBindingMode: mode } = storageClass;
  if (mode === undefined) return `VolumeBindingMode not set for StorageClass ${JSON.stringify(className)}`;
  return mode === "WaitForFirstConsumer" ? undefined : "PersistentVolume had no name";
}
