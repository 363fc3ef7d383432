import {
  CSIDrivers,
  CSIStorageCapacities,
  type CSIStorageCapacity,
  type KubeObject,
  type Node,
  nodeSelectorMatches,
  type PersistentVolume,
  type PersistentVolumeClaim,
  PersistentVolumeClaims,
  PersistentVolumes,
  type Pod,
  StorageClasses,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { CacheChange } from "@skiff/client";
import {
  type BindContext,
  type ClusterView,
  definePlugin,
  fits,
  type Plugin,
  type PreFilterResult,
  rejects,
  skip,
} from "../framework.ts";
import { hasCapacity, volumeLimit } from "./storage-capacity.ts";
import { claimClass, claimNames, findVolume, isBound, provisioningClass, selectedNode } from "./volume-claims.ts";

const elsewhere = rejects("node(s) didn't match PersistentVolume's node affinity");
const nothingToBind = rejects("node(s) didn't find available persistent volumes to bind");
const noSpace = rejects("node(s) did not have enough free storage");
const noVolume = rejects("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
/** Arguments of the plugin, as in `VolumeBindingArgs`. */
export interface VolumeBindingOptions {
  /** So long a pod waits for its volumes before it is tried again. */
  readonly bindTimeoutMs: number;
}

/** What has to happen to one claim before the pod can be bound: to be given a volume, or to be made one for a node. */
type ClaimPlan =
  | { readonly kind: "bind"; readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }
  | { readonly kind: "provision"; readonly claim: PersistentVolumeClaim };

/** Keeps pods near their volumes; claims that wait for their first pod get a volume where that pod goes. */
export function volumeBinding({ bindTimeoutMs }: VolumeBindingOptions = { bindTimeoutMs: 600_000 }): Plugin {
  /** Volumes that are promised to a claim, by name; the claim's uid. */
  const promised = new Map<string, string>();
  const plans = new Map<string, readonly ClaimPlan[]>();
  const plan = (claims: readonly PersistentVolumeClaim[], node: Node, cluster: ClusterView) =>
    planClaims(claims, node, cluster, promised);
  return definePlugin({
    name: "VolumeBinding",
    watches: [PersistentVolumeClaims, PersistentVolumes, StorageClasses, CSIDrivers, CSIStorageCapacities],
    concerns: (pod) => claimNames(pod).length > 0,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: ({ node, old }) => node.metadata.labels !== old.metadata.labels },
      {
        kind: "object",
        resource: PersistentVolumeClaims,
        helps: ({ pod, change: { object } }) =>
          object.metadata.namespace === pod.metadata.namespace &&
          claimNames(pod).some(({ name }) => name === object.metadata.name),
      },
      { kind: "object", resource: PersistentVolumes, helps: ({ change }) => change.kind !== "deleted" },
      { kind: "object", resource: StorageClasses, helps: ({ change }) => mayServeMore(change, "allowedTopologies") },
      // A driver that does not tell of its room any more is thought to have some.
      { kind: "object", resource: CSIDrivers, helps: ({ change }) => change.kind === "updated" },
      { kind: "object", resource: CSIStorageCapacities, helps: ({ change }) => hasGrown(change) },
    ],
    preFilter: (pod, cluster) => lookOf(pod, cluster, plan),
    reserve(pod, node, cluster) {
      const { delayed } = claimsOf(pod, cluster);
      if (delayed.length === 0) return undefined;
      const result = plan(delayed, node.node, cluster);
      const planned = result.kind === "planned" ? result.plans : [];
      const { uid } = pod.metadata;
      plans.set(uid, planned);
      for (const one of planned)
        if (one.kind === "bind") promised.set(one.volume.metadata.name, one.claim.metadata.uid);
      return {
        [Symbol.dispose]() {
          plans.delete(uid);
          for (const one of planned) if (one.kind === "bind") promised.delete(one.volume.metadata.name);
        },
      };
    },
    preBind(pod, node, context) {
      const planned = plans.get(pod.metadata.uid);
      if (planned === undefined) return undefined;
      return bindClaims(planned, node.node, { ...context, bindTimeoutMs }).then(() => {
        plans.delete(pod.metadata.uid);
        for (const one of planned) if (one.kind === "bind") promised.delete(one.volume.metadata.name);
      });
    },
  });
}

const mayServeMore = (change: CacheChange<KubeObject>, field: string): boolean => {
  const said = (object: KubeObject): unknown => Object.entries(object).find(([name]) => name === field)?.[1];
  return change.kind === "added" || (change.kind === "updated" && !jsonEqual(said(change.object), said(change.old)));
};

function hasGrown(change: CacheChange<KubeObject>): boolean {
  if (change.kind !== "updated") return change.kind === "added";
  const [now, before] = [limitOf(change.object), limitOf(change.old)];
  return now !== undefined && (before === undefined || now > before);
}

/** The cache of capacities holds nothing else. */
const isCapacity = (object: KubeObject): object is CSIStorageCapacity => "storageClassName" in object;
const limitOf = (object: KubeObject) => (isCapacity(object) ? volumeLimit(object) : undefined);

interface Claims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Those that wait for their first pod. */
  readonly delayed: readonly PersistentVolumeClaim[];
  readonly refusal: string | undefined;
}

function claimsOf(pod: Pod, cluster: ClusterView): Claims {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  const refused = (refusal: string): Claims => ({ bound, delayed, refusal });
  let immediate = false;
  for (const { name, isEphemeral } of claimNames(pod)) {
    const claim = cluster.informer(PersistentVolumeClaims).get(name, pod.metadata.namespace);
    const quoted = JSON.stringify(name);
    if (claim === undefined) {
      const creation = `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`;
      return refused(isEphemeral ? creation : `persistentvolumeclaim ${quoted} not found`);
    }
    const { volumeName } = claim.spec;
    if (claim.status?.phase === "Lost")
      return refused(
        `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(volumeName ?? "")}`,
      );
    if (claim.metadata.deletionTimestamp !== undefined)
      return refused(`persistentvolumeclaim ${quoted} is being deleted`);
    const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (isEphemeral && owner?.uid !== pod.metadata.uid)
      return refused(
        `PVC ${pod.metadata.namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`,
      );
    const mode = cluster.informer(StorageClasses).get(claimClass(claim))?.volumeBindingMode;
    if (isBound(claim)) bound.push(claim);
    else if (mode === "WaitForFirstConsumer" && !volumeName) delayed.push(claim);
    else immediate = true;
  }
  return { bound, delayed, refusal: immediate ? "pod has unbound immediate PersistentVolumeClaims" : undefined };
}

function isNear(volume: PersistentVolume | undefined, node: Node): boolean {
  const required = volume?.spec.nodeAffinity?.required;
  return required === undefined || nodeSelectorMatches(required, node);
}

type Plan = (claims: readonly PersistentVolumeClaim[], node: Node, cluster: ClusterView) => PlanResult;

function lookOf(pod: Pod, cluster: ClusterView, plan: Plan): PreFilterResult {
  const { bound, delayed, refusal } = claimsOf(pod, cluster);
  if (refusal !== undefined) return { kind: "rejected", reason: refusal, resolvable: false };
  const volumes = bound.map(({ spec }) => cluster.informer(PersistentVolumes).get(spec.volumeName ?? ""));
  if (volumes.every((volume) => volume !== undefined && volume.spec.nodeAffinity === undefined) && delayed.length === 0)
    return skip;
  const isLost = volumes.includes(undefined);
  return {
    kind: "look",
    filter({ node }) {
      const planned = delayed.length === 0 ? undefined : plan(delayed, node.node, cluster);
      const refusals = [
        ...(volumes.every((volume) => isNear(volume, node.node)) ? [] : [elsewhere]),
        ...(planned?.kind === "nothing-to-bind" ? [nothingToBind] : []),
        ...(planned?.kind === "no-space" ? [noSpace] : []),
        ...(isLost ? [noVolume] : []),
      ];
      const [only] = refusals;
      if (only === undefined) return fits;
      return refusals.length === 1 ? only : rejects(refusals.map(({ reason }) => reason).join("\n"));
    },
  };
}

/** What to do for claims so that they have their volumes on the node, or why nothing would do. */
type PlanResult =
  | { readonly kind: "planned"; readonly plans: readonly ClaimPlan[] }
  | { readonly kind: "nothing-to-bind" }
  | { readonly kind: "no-space" };

function planClaims(
  claims: readonly PersistentVolumeClaim[],
  node: Node,
  cluster: ClusterView,
  promised: ReadonlyMap<string, string>,
): PlanResult {
  const taken = new Set<string>();
  const found: ClaimPlan[] = [];
  const made: ClaimPlan[] = [];
  for (const claim of claims) {
    const selected = selectedNode(claim);
    if (selected !== undefined && selected !== node.metadata.name) return { kind: "nothing-to-bind" };
    const isFree = ({ metadata }: PersistentVolume) => {
      const holder = promised.get(metadata.name);
      return !taken.has(metadata.name) && (holder === undefined || holder === claim.metadata.uid);
    };
    const volume = selected === undefined ? findVolume(claim, node, cluster, isFree) : undefined;
    if (volume !== undefined) {
      taken.add(volume.metadata.name);
      found.push({ kind: "bind", claim, volume });
      continue;
    }
    const storageClass = provisioningClass(claim, node, cluster);
    if (storageClass === undefined) return { kind: "nothing-to-bind" };
    if (!hasCapacity(claim, storageClass, node, cluster)) return { kind: "no-space" };
    made.push({ kind: "provision", claim });
  }
  // A volume that is there can be lost to another claim: nothing is made on the node before it is had.
  return { kind: "planned", plans: [...found, ...made] };
}

interface VolumeBindContext extends BindContext {
  readonly bindTimeoutMs: number;
}

async function bindClaims(plans: readonly ClaimPlan[], node: Node, context: VolumeBindContext): Promise<void> {
  const { client, signal } = context;
  const nodeName = node.metadata.name;
  for (const one of plans) {
    const { name, namespace, uid, resourceVersion: seen } = one.claim.metadata;
    if (one.kind === "provision") {
      // Whoever makes the volume may have begun on the node of an earlier attempt, of which the cache does not know yet.
      const annotations = { "volume.kubernetes.io/selected-node": nodeName };
      const patch = { metadata: { resourceVersion: seen, annotations } };
      await client.patch(PersistentVolumeClaims, { name, namespace }, patch, { type: "merge", signal });
    } else {
      const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", name, namespace, uid };
      const { name: volume, resourceVersion } = one.volume.metadata;
      const annotations = { "pv.kubernetes.io/bound-by-controller": "yes" };
      const patch = { metadata: { resourceVersion, annotations }, spec: { claimRef } };
      await client.patch(PersistentVolumes, { name: volume }, patch, { type: "merge", signal });
    }
  }
  await Promise.all(plans.map(({ claim }) => whenBound(claim, node, context)));
}

/**
 * Resolves when the claim has its volume. Throws when whoever makes volumes gives the node up, or has made this one where the
 * node cannot have it.
 */
async function whenBound(claim: PersistentVolumeClaim, node: Node, context: VolumeBindContext): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let wasSelected = false;
  let volumeName: string | undefined;
  const { name, uid } = claim.metadata;
  const volumes = context.cluster.informer(PersistentVolumes);
  const check = () => {
    const volume = volumeName === undefined ? undefined : volumes.get(volumeName);
    if (volume === undefined) return;
    if (isNear(volume, node)) return resolve();
    const both = `pv "${volumeName}" node affinity doesn't match node "${node.metadata.name}"`;
    reject(new Error(`binding volumes: ${both}: no matching NodeSelectorTerms`));
  };
  using _claims = context.cluster.informer(PersistentVolumeClaims).onChange(({ kind, object }) => {
    if (object.metadata.uid !== uid) return;
    if (kind === "deleted") reject(new Error(`pvc ${JSON.stringify(name)} was deleted`));
    else if (isBound(object)) {
      volumeName = object.spec.volumeName;
      check();
    } else if (selectedNode(object) === node.metadata.name) wasSelected = true;
    else if (wasSelected) reject(new Error("provisioning failed: selectedNode annotation reset"));
  });
  // The claim may be seen to be bound before its volume is seen.
  using _volumes = volumes.onChange(check);
  const timedOut = new AbortController();
  const stop = AbortSignal.any([context.signal, timedOut.signal]);
  const tooLate = context.clock.sleep(context.bindTimeoutMs, stop).then(() => {
    throw new Error("binding volumes: timed out waiting for the condition");
  });
  tooLate.catch(() => {});
  try {
    await Promise.race([promise, tooLate]);
  } finally {
    timedOut.abort();
  }
}
