import {
  type AllocationResult,
  type ContainerExtendedResourceRequest,
  classesByResource,
  type DeviceClass,
  DeviceClasses,
  type DeviceRequest,
  type DynamicResourceClaim,
  extendedResourceClaimAnnotation,
  isConflict,
  isNotFound,
  type KubeObject,
  type New,
  type Pod,
  Pods,
  ResourceClaims,
} from "@skiff/api";
import { describeError } from "@skiff/base";
import type { BindContext, ClusterView } from "../framework.ts";
import { bindClaim, claimFinalizer, claimNow } from "./bind-claim.ts";

/** The claim for the devices that a pod asks for by the names of resources, as it is to be made for one node. */
export interface SpecialClaim {
  /** Not made yet: its name and uid stand for those that it will get. */
  readonly claim: DynamicResourceClaim;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

const byPod = "pod whose resources it is for";

interface Classes {
  readonly of: number;
  readonly byResource: ReadonlyMap<string, DeviceClass>;
}
const remembered = new WeakMap<ClusterView, Classes>();

/** The classes of devices by the resources that they are. */
export function resourceClasses(cluster: ClusterView): ReadonlyMap<string, DeviceClass> {
  const informer = cluster.informer(DeviceClasses);
  let known = remembered.get(cluster);
  if (known?.of !== informer.revision) {
    known = { of: informer.revision, byResource: classesByResource(informer.list()) };
    remembered.set(cluster, known);
  }
  return known.byResource;
}

/** Whether a claim is the one for a pod's resources. */
export const isSpecialClaimOf = (pod: Pod, { metadata }: KubeObject): boolean =>
  metadata.annotations?.[extendedResourceClaimAnnotation] === "true" &&
  metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === pod.metadata.uid) === true;

/** The claim that was made for a pod when it was tried before, and that is still there. */
export function specialClaimOf(pod: Pod, cluster: ClusterView): DynamicResourceClaim | undefined {
  const informer = cluster.informer(ResourceClaims);
  informer.addIndex(byPod, ({ metadata }) =>
    metadata.annotations?.[extendedResourceClaimAnnotation] === "true"
      ? (metadata.ownerReferences ?? []).map(({ uid }) => uid)
      : [],
  );
  return informer.byIndex(byPod, pod.metadata.uid).find((claim) => isSpecialClaimOf(pod, claim));
}

/** What the claim is before there is one. */
export const draftOf = (pod: Pod, requests: readonly DeviceRequest[]): DynamicResourceClaim => ({
  metadata: {
    name: "<extended-resources>",
    namespace: pod.metadata.namespace,
    uid: `extended-resources-of-${pod.metadata.uid}`,
    resourceVersion: "",
    creationTimestamp: "",
  },
  spec: { devices: { requests: [...requests] } },
  status: {},
});

const newClaim = (
  { metadata: { name, namespace, uid } }: Pod,
  draft: DynamicResourceClaim,
): New<DynamicResourceClaim> => ({
  metadata: {
    generateName: `${name}-extended-resources-`,
    namespace,
    annotations: { [extendedResourceClaimAnnotation]: "true" },
    ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true }],
  },
  spec: draft.spec,
});

/**
 * Makes the claim with its devices and says so in the pod's status. `written` hears of each of its versions. Where that comes to
 * nothing the claim goes again.
 */
export async function bindSpecialClaim(
  pod: Pod,
  { claim: draft, mappings }: SpecialClaim,
  on: BindContext & {
    readonly allocation: AllocationResult;
    readonly written: (claim: DynamicResourceClaim) => void;
    readonly whenReady: (claim: DynamicResourceClaim) => Promise<void>;
  },
): Promise<void> {
  const { client, signal } = on;
  const { namespace } = pod.metadata;
  const made = await client.create(ResourceClaims, newClaim(pod, draft), { signal }).catch((error: unknown) => {
    throw new Error(`create claim for extended resources ${namespace}/: ${describeError(error)}`);
  });
  try {
    const bound = await bindClaim(made, { pod, allocation: on.allocation }, on);
    on.written(bound);
    const extendedResourceClaimStatus = { requestMappings: [...mappings], resourceClaimName: bound.metadata.name };
    await client.patch(
      Pods,
      pod.metadata,
      { status: { extendedResourceClaimStatus } },
      { type: "strategic", subresource: "status", signal },
    );
    await on.whenReady(bound);
  } catch (error) {
    signal.throwIfAborted();
    try {
      await deleteSpecialClaim(made, on);
    } catch {
      signal.throwIfAborted();
      // It may have its devices: they are nobody else's as long as it is there.
      const there = await claimNow(made, on);
      if (there !== undefined) on.written(there);
    }
    throw error;
  }
}

const attempts = 5;

/** Takes the claim away, and what holds it. */
export async function deleteSpecialClaim(
  { metadata }: DynamicResourceClaim,
  { client, signal }: Pick<BindContext, "client" | "signal">,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const now = await client.get(ResourceClaims, metadata, { signal });
      if (now.metadata.uid !== metadata.uid) return;
      const finalizers = now.metadata.finalizers ?? [];
      const freed = finalizers.filter((one) => one !== claimFinalizer);
      if (freed.length < finalizers.length)
        await client.update(ResourceClaims, { ...now, metadata: { ...now.metadata, finalizers: freed } }, { signal });
      await client.delete(ResourceClaims, metadata, { signal });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}
