import {
  type AllocationResult,
  type DeviceClass,
  DeviceClasses,
  type DynamicResourceClaim,
  type KubeObject,
  type Node,
  nodeSelectorMatches,
  type Pod,
  ResourceClaims,
  ResourceSlices,
} from "@skiff/api";
import { isJsonObject, type JsonObject, jsonEqual, type Random, systemRandom, uuid } from "@skiff/base";
import { type Allotment, allocate } from "../dynamic-resources/allocate.ts";
import { allocationResult } from "../dynamic-resources/allocation-result.ts";
import { bindClaims, type ChosenDevices, noDevices, release } from "../dynamic-resources/bind-claims.ts";
import { readinessOf } from "../dynamic-resources/device-readiness.ts";
import { deviceStateOf } from "../dynamic-resources/device-state.ts";
import { deviceResourcesOf, deviceWishes } from "../dynamic-resources/device-wishes.ts";
import { canBeReserved, isReservedFor, podClaims } from "../dynamic-resources/pod-claims.ts";
import { poolsOf } from "../dynamic-resources/pools.ts";
import { waysOf } from "../dynamic-resources/requests.ts";
import { loadedSelectors, loadSelectors } from "../dynamic-resources/selector-engine.ts";
import { SelectorError, type SelectorMatch } from "../dynamic-resources/selectors.ts";
import {
  deleteSpecialClaim,
  draftOf,
  isSpecialClaimOf,
  resourceClasses,
  type SpecialClaim,
  specialClaimOf,
} from "../dynamic-resources/special-claim.ts";
import {
  AttemptFailure,
  type ClusterView,
  definePlugin,
  type FilterResult,
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
  /** What it asks for by the names of resources. */
  readonly extended: Extended | undefined;
  readonly found: Map<string, Found>;
  /** Claims that have devices which some node has no access to. */
  readonly unavailable: Set<DynamicResourceClaim>;
}

type Extended =
  | { readonly kind: "wanted"; readonly pod: Pod; readonly classes: ReadonlyMap<string, DeviceClass> }
  /** A claim was made for it when the pod was tried before: its devices may be the wrong ones by now. */
  | { readonly kind: "stale"; readonly claim: DynamicResourceClaim };

/** What a node has for the pod. */
interface Found {
  /** Devices of the claims that want some, then those of the special one. */
  readonly allotments: readonly (readonly Allotment[])[];
  readonly special: SpecialClaim | undefined;
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
  const looks = new Map<string, Look>();
  const chosen = new Map<string, ChosenDevices>();
  return definePlugin({
    name: "DynamicResources",
    watches: [ResourceClaims, ResourceSlices, DeviceClasses],
    concerns: needsDevices,
    retryOn: [
      { kind: "nodeAdded" },
      { kind: "nodeUpdated", helps: ({ node, old }) => isChanged(node, old) },
      { kind: "object", resource: DeviceClasses, helps: ({ change }) => change.kind !== "deleted" },
      { kind: "object", resource: ResourceSlices, helps: ({ change }) => change.kind !== "deleted" },
      {
        kind: "object",
        resource: ResourceClaims,
        helps: ({ pod, change }) => {
          if (change.kind === "deleted") return hadDevices(change.object) || isSpecialClaimOf(pod, change.object);
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
    prepare: (pod) => (needsDevices(pod) ? loadSelectors() : undefined),
    preFilter(pod, cluster) {
      looks.delete(pod.metadata.uid);
      const state = deviceStateOf(cluster);
      const found = podClaims(pod, (name, namespace) => state.claim(name, namespace));
      if (found.kind === "waiting") return refused(found.reason);
      const { claims } = found;
      const extended = extendedOf(pod, cluster);
      const match = loadedSelectors();
      if ((claims.length === 0 && extended === undefined) || match === undefined) return skip;
      const refusal = refusalOf(pod, claims, cluster);
      if (refusal !== undefined) return refused(refusal);
      const wanting = claims.filter((claim) => !hasDevices(claim));
      const look: Look = { claims, wanting, extended, found: new Map(), unavailable: new Set() };
      looks.set(pod.metadata.uid, look);
      return { kind: "look", filter: ({ node }) => fitsOn(node, look, { cluster, match }) };
    },
    postFilter: (pod) => deallocation(pod, looks.get(pod.metadata.uid)),
    reserve(pod, node, cluster) {
      const look = looks.get(pod.metadata.uid);
      looks.delete(pod.metadata.uid);
      const found = look?.found.get(node.name);
      if (look === undefined || found === undefined) return undefined;
      const state = deviceStateOf(cluster);
      const { allotments, special } = found;
      const wanting = special === undefined ? look.wanting : [...look.wanting, special.claim];
      const results = resultsOf(wanting, allotments, { node, cluster, random });
      for (const claim of wanting) {
        const allocation = results.get(claim.metadata.uid);
        if (allocation !== undefined) state.begin({ ...claim, status: { ...claim.status, allocation } });
      }
      chosen.set(pod.metadata.uid, { results, special });
      return {
        [Symbol.dispose]() {
          chosen.delete(pod.metadata.uid);
          for (const uid of results.keys()) state.end(uid);
        },
      };
    },
    preBind(pod, _, context) {
      const devices = chosen.get(pod.metadata.uid) ?? noDevices;
      if (!hasClaims(pod) && devices.special === undefined) return undefined;
      return bindClaims(pod, devices, { ...context, bindingTimeoutMs });
    },
    postBind: (pod) => {
      chosen.delete(pod.metadata.uid);
    },
  });
}

const needsDevices = (pod: Pod): boolean => hasClaims(pod) || deviceResourcesOf(pod).length > 0;

const isChanged = (node: Node, old: Node): boolean =>
  node.metadata.labels !== old.metadata.labels || node.status?.allocatable !== old.status?.allocatable;

/** What the pod asks for by the names of resources that are classes of devices. */
function extendedOf(pod: Pod, cluster: ClusterView): Extended | undefined {
  const classes = resourceClasses(cluster);
  if (!deviceResourcesOf(pod).some(([name]) => classes.has(name))) return undefined;
  const claim = specialClaimOf(pod, cluster);
  return claim === undefined ? { kind: "wanted", pod, classes } : { kind: "stale", claim };
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

/** The claim that the pod needs on a node for what no device plugin has there; none, or why the node will not do. */
function specialOn(
  node: NodeInfo,
  extended: Look["extended"],
): { readonly special?: SpecialClaim; readonly refusal?: FilterResult } {
  if (extended === undefined) return {};
  if (extended.kind === "stale") return { refusal: rejects("cannot schedule extended resource claim") };
  const { pod, classes } = extended;
  const missing: string[] = [];
  for (const [name] of deviceResourcesOf(pod)) {
    const allocatable = node.allocatable.get(name);
    if (classes.has(name) && !allocatable) missing.push(name);
    else if (allocatable === undefined) return { refusal: rejects("cannot fit resource") };
  }
  const { requests, mappings } = deviceWishes(pod, missing, classes);
  return requests.length === 0 ? {} : { special: { claim: draftOf(pod, requests), mappings } };
}

function fitsOn(
  info: NodeInfo,
  look: Look,
  { cluster, match }: { readonly cluster: ClusterView; readonly match: SelectorMatch },
) {
  const { name, node } = info;
  const { special, refusal } = specialOn(info, look.extended);
  if (refusal !== undefined) return refusal;
  const unavailable = look.claims.filter(({ status }) => {
    const selector = status?.allocation?.nodeSelector;
    return selector !== undefined && !nodeSelectorMatches(selector, node);
  });
  for (const claim of unavailable) look.unavailable.add(claim);
  if (unavailable.length > 0) return elsewhere;
  const claims = special === undefined ? look.wanting : [...look.wanting, special.claim];
  if (claims.length === 0) return fits;
  const state = deviceStateOf(cluster);
  try {
    const outcome = allocate({
      claims,
      pools: poolsOf(node, state.slices),
      inUse: state.inUse,
      classOf: (className) => cluster.informer(DeviceClasses).get(className),
      matches: match,
    });
    if (outcome.kind === "none") return rejects(outcome.reason);
    look.found.set(name, { allotments: outcome.allotments, special });
    return fits;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new AttemptFailure('running "DynamicResources" filter plugin', { cause: error });
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

/** A claim that has devices where the pod cannot go loses them, if nobody else uses it. */
function deallocation(pod: Pod, look: Look | undefined): PostFilterResult | undefined {
  if (look === undefined) return hasClaims(pod) ? { text: "no new claims to deallocate" } : undefined;
  for (const claim of look.unavailable) {
    const users = claim.status?.reservedFor ?? [];
    if (users.length > 1 || users.some(({ uid }) => uid !== pod.metadata.uid)) continue;
    if (readinessOf(claim).kind === "preparing") continue;
    return { text: "deallocation of ResourceClaim completed", act: (context) => release(claim, context) };
  }
  if (look.extended?.kind === "stale") {
    const { claim } = look.extended;
    return { text: "deletion of ResourceClaim completed", act: (context) => deleteSpecialClaim(claim, context) };
  }
  return { text: "still not schedulable" };
}
