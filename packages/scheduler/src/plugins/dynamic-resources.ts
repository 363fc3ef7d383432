import {
  type AllocationResult,
  DeviceClasses,
  type DynamicResourceClaim,
  type KubeObject,
  nodeSelectorMatches,
  type Pod,
  ResourceClaims,
  ResourceSlices,
} from "@skiff/api";
import { isJsonObject, type JsonObject, jsonEqual, type Random, systemRandom, timestamp, uuid } from "@skiff/base";
import { type Allotment, allocate } from "../dynamic-resources/allocate.ts";
import { allocationResult } from "../dynamic-resources/allocation-result.ts";
import { bindClaim } from "../dynamic-resources/bind-claim.ts";
import { readinessOf, whenDevicesReady } from "../dynamic-resources/device-readiness.ts";
import { deviceStateOf } from "../dynamic-resources/device-state.ts";
import { canBeReserved, isReservedFor, podClaims } from "../dynamic-resources/pod-claims.ts";
import { poolsOf } from "../dynamic-resources/pools.ts";
import { waysOf } from "../dynamic-resources/requests.ts";
import { SelectorError, type SelectorMatch, selectorMatch } from "../dynamic-resources/selectors.ts";
import {
  type BindContext,
  type ClusterView,
  definePlugin,
  fits,
  type Plugin,
  type PostFilterResult,
  type PreFilterResult,
  rejects,
  skip,
} from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const elsewhere = rejects("resourceclaim not available on the node");
const hasClaims = ({ spec }: Pod): boolean => (spec.resourceClaims ?? []).length > 0;
const refused = (reason: string): PreFilterResult => ({ kind: "rejected", reason, resolvable: false });

/** What was found out about a pod's claims when it was looked at last. */
interface Look {
  readonly claims: readonly DynamicResourceClaim[];
  readonly wanting: readonly DynamicResourceClaim[];
  /** Devices for those that want some, by node. */
  readonly found: Map<string, readonly (readonly Allotment[])[]>;
  /** Claims that have devices which some node has no access to. */
  readonly unavailable: Set<DynamicResourceClaim>;
}

export interface DynamicResourcesOptions {
  readonly random?: Random;
  /** So long devices may take to be ready for a node. */
  readonly bindingTimeoutMs?: number;
}

/**
 * Gives claims of pods their devices, on the node that the pod goes to.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export function dynamicResources({
  random = systemRandom,
  bindingTimeoutMs = 600_000,
}: DynamicResourcesOptions = {}): Plugin {
  let matches: SelectorMatch | undefined;
  let loading: Promise<void> | undefined;
  const looks = new Map<string, Look>();
  const chosen = new Map<string, ReadonlyMap<string, AllocationResult>>();
  return definePlugin({
    name: "DynamicResources",
    watches: [ResourceClaims, ResourceSlices, DeviceClasses],
    concerns: hasClaims,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: ({ node, old }) => node.metadata.labels !== old.metadata.labels },
      { kind: "object", resource: DeviceClasses, helps: ({ change }) => change.kind !== "deleted" },
      { kind: "object", resource: ResourceSlices, helps: ({ change }) => change.kind !== "deleted" },
      {
        kind: "object",
        resource: ResourceClaims,
        helps: ({ pod, change }) => {
          if (change.kind === "deleted") return hadDevices(change.object);
          const before = change.kind === "updated" ? change.old : undefined;
          if (before !== undefined && hadDevices(before) && !hadDevices(change.object)) return true;
          if (!refersTo(pod, change.object)) return false;
          return before === undefined || !jsonEqual(statusOf(before), statusOf(change.object));
        },
      },
    ],
    preEnqueue(pod, cluster) {
      if (!hasClaims(pod)) return undefined;
      const state = deviceStateOf(cluster);
      const found = podClaims(pod, (name, namespace) => state.claim(name, namespace));
      return found.kind === "waiting" ? found.reason : undefined;
    },
    prepare(pod) {
      if (!hasClaims(pod) || matches !== undefined) return undefined;
      loading ??= import("@skiff/cel").then((engine) => {
        matches = selectorMatch(engine);
      });
      return loading;
    },
    preFilter(pod, cluster) {
      looks.delete(pod.metadata.uid);
      const state = deviceStateOf(cluster);
      const found = podClaims(pod, (name, namespace) => state.claim(name, namespace));
      if (found.kind === "waiting") return refused(found.reason);
      const { claims } = found;
      if (claims.length === 0 || matches === undefined) return skip;
      const refusal = refusalOf(pod, claims, cluster);
      if (refusal !== undefined) return refused(refusal);
      const wanting = claims.filter((claim) => !hasDevices(claim));
      const look: Look = { claims, wanting, found: new Map(), unavailable: new Set() };
      looks.set(pod.metadata.uid, look);
      const match = matches;
      return { kind: "look", filter: ({ node }) => fitsOn(node, look, { cluster, match }) };
    },
    postFilter: (pod) => deallocation(pod, looks.get(pod.metadata.uid)),
    reserve(pod, node, cluster) {
      const look = looks.get(pod.metadata.uid);
      looks.delete(pod.metadata.uid);
      const allotments = look?.found.get(node.name);
      if (look === undefined || allotments === undefined) return undefined;
      const state = deviceStateOf(cluster);
      const results = resultsOf(look.wanting, allotments, { node, cluster, random });
      for (const claim of look.wanting) {
        const allocation = results.get(claim.metadata.uid);
        if (allocation !== undefined) state.begin({ ...claim, status: { ...claim.status, allocation } });
      }
      chosen.set(pod.metadata.uid, results);
      return {
        [Symbol.dispose]() {
          chosen.delete(pod.metadata.uid);
          for (const uid of results.keys()) state.end(uid);
        },
      };
    },
    preBind: (pod, _, context) =>
      hasClaims(pod)
        ? bindClaims(pod, chosen.get(pod.metadata.uid) ?? new Map(), { ...context, bindingTimeoutMs })
        : undefined,
    postBind: (pod) => {
      chosen.delete(pod.metadata.uid);
    },
  });
}

const hasDevices = ({ status }: DynamicResourceClaim): boolean => status?.allocation !== undefined;

const statusOf = (object: KubeObject): JsonObject => {
  const status: unknown = Reflect.get(object, "status");
  return isJsonObject(status) ? status : {};
};

const hadDevices = (object: KubeObject): boolean => statusOf(object).allocation !== undefined;

const refersTo = (pod: Pod, { metadata }: KubeObject): boolean =>
  metadata.namespace === pod.metadata.namespace &&
  (pod.spec.resourceClaims ?? []).some(
    ({ name, resourceClaimName }) =>
      (resourceClaimName ?? pod.status?.resourceClaimStatuses?.find((one) => one.name === name)?.resourceClaimName) ===
      metadata.name,
  );

/** Why no node will do, whatever it has. */
function refusalOf(pod: Pod, claims: readonly DynamicResourceClaim[], cluster: ClusterView): string | undefined {
  const state = deviceStateOf(cluster);
  for (const claim of claims) {
    const { name, namespace } = claim.metadata;
    if (hasDevices(claim)) {
      if (!canBeReserved(claim) && !isReservedFor(claim, pod)) return "resourceclaim in use";
      continue;
    }
    if (state.isInFlight(claim)) return `resource claim ${namespace}/${name} is in the process of being allocated`;
    for (const want of (claim.spec.devices?.requests ?? []).flatMap(waysOf))
      if (cluster.informer(DeviceClasses).get(want.className) === undefined)
        return `request ${want.name}: device class ${want.className} does not exist`;
  }
  return undefined;
}

function fitsOn(
  { name, node }: NodeInfo,
  look: Look,
  { cluster, match }: { readonly cluster: ClusterView; readonly match: SelectorMatch },
) {
  const unavailable = look.claims.filter(({ status }) => {
    const selector = status?.allocation?.nodeSelector;
    return selector !== undefined && !nodeSelectorMatches(selector, node);
  });
  for (const claim of unavailable) look.unavailable.add(claim);
  if (unavailable.length > 0) return elsewhere;
  if (look.wanting.length === 0) return fits;
  const state = deviceStateOf(cluster);
  try {
    const outcome = allocate({
      claims: look.wanting,
      pools: poolsOf(node, state.slices),
      inUse: state.inUse,
      classOf: (className) => cluster.informer(DeviceClasses).get(className),
      matches: match,
    });
    if (outcome.kind === "none") return rejects(outcome.reason);
    look.found.set(name, outcome.allotments);
    return fits;
  } catch (error) {
    if (error instanceof SelectorError) return rejects(error.message);
    throw error;
  }
}

function resultsOf(
  claims: readonly DynamicResourceClaim[],
  allotments: readonly (readonly Allotment[])[],
  { node, cluster, random }: { readonly node: NodeInfo; readonly cluster: ClusterView; readonly random: Random },
): ReadonlyMap<string, AllocationResult> {
  const classOf = (className: string) => cluster.informer(DeviceClasses).get(className);
  return new Map(
    claims.map((claim, index) => {
      const on = { nodeName: node.name, classOf, shareId: () => uuid(random) };
      return [claim.metadata.uid, allocationResult(claim, allotments[index] ?? [], on)];
    }),
  );
}

/** Writes all claims of the pod, and waits until their devices are ready. */
async function bindClaims(
  pod: Pod,
  results: ReadonlyMap<string, AllocationResult>,
  context: BindContext & { readonly bindingTimeoutMs: number },
): Promise<void> {
  const state = deviceStateOf(context.cluster);
  const found = podClaims(pod, (name, namespace) => state.claim(name, namespace));
  if (found.kind === "waiting") throw new Error(found.reason);
  for (const claim of found.claims) {
    const { uid } = claim.metadata;
    let now = claim;
    if (!isReservedFor(claim, pod)) {
      const chosen = results.get(uid);
      const allocation =
        chosen?.devices?.results?.some((one) => one.bindingConditions !== undefined) === true
          ? { ...chosen, allocationTimestamp: timestamp(context.clock.now()) }
          : chosen;
      now = await bindClaim(claim, { pod, allocation }, context);
      state.end(uid, now);
    }
    try {
      await whenDevicesReady(now, context);
    } catch (error) {
      context.signal.throwIfAborted();
      await release(now, context);
      throw error;
    }
  }
}

/** Takes its devices from a claim that nobody can use them of. */
async function release(claim: DynamicResourceClaim, { client, signal }: Pick<BindContext, "client" | "signal">) {
  const current = await client.get(ResourceClaims, claim.metadata, { signal });
  const { allocation: _, reservedFor: __, devices: ___, ...status } = current.status ?? {};
  await client.updateStatus(ResourceClaims, { ...current, status }, { signal });
}

/** A claim that has devices where the pod cannot go loses them, if nobody else uses it. */
function deallocation(pod: Pod, look: Look | undefined): PostFilterResult | undefined {
  if (!hasClaims(pod)) return undefined;
  if (look === undefined) return { text: "no new claims to deallocate" };
  for (const claim of look.unavailable) {
    const users = claim.status?.reservedFor ?? [];
    if (users.length > 1 || users.some(({ uid }) => uid !== pod.metadata.uid)) continue;
    if (readinessOf(claim).kind === "preparing") continue;
    return { text: "deallocation of ResourceClaim completed", act: (context) => release(claim, context) };
  }
  return { text: "still not schedulable" };
}
