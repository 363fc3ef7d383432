import {
  asUnits,
  type DeviceClass,
  DeviceClasses,
  isDeviceResource,
  isExtendedResource,
  type KubeObject,
  type Node,
  ownDeviceResource,
  type Pod,
} from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { CacheChange } from "@skiff/client";
import { deviceTotals } from "../dynamic-resources/device-totals.ts";
import { deviceResourcesOf } from "../dynamic-resources/device-wishes.ts";
import { resourceClasses } from "../dynamic-resources/special-claim.ts";
import {
  type ClusterView,
  definePlugin,
  type FilterRequest,
  fits,
  lacks,
  type Plugin,
  type RetryHint,
  rejects,
  skip,
} from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { amounts, podFacts } from "../pod-facts.ts";
import { type Allocation, balancedAllocation, leastAllocated, type ResourceScorer } from "./resource-scores.ts";

/** A resource that is scored, and how much it counts beside others. */
export interface ScoredResource {
  readonly name: string;
  readonly weight: number;
}

/** Arguments of the plugin, as in `NodeResourcesFitArgs`. */
export interface NodeResourcesFitOptions {
  /** Extended resources that nodes need not have. */
  readonly ignoredResources: ReadonlySet<string>;
  /** The same by what stands before the `/`. */
  readonly ignoredResourceGroups: ReadonlySet<string>;
  readonly scorer: ResourceScorer;
  readonly resources: readonly ScoredResource[];
}

const usualResources: readonly ScoredResource[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];
const usualOptions: NodeResourcesFitOptions = {
  ignoredResources: new Set(),
  ignoredResourceGroups: new Set(),
  scorer: leastAllocated,
  resources: usualResources,
};

/** What pods request must be free on the node, and there must be room for one pod more. */
export function nodeResourcesFit(options: NodeResourcesFitOptions = usualOptions): Plugin {
  const { ignoredResources, ignoredResourceGroups, scorer, resources } = options;
  const ignores = (name: string): boolean =>
    isExtendedResource(name) &&
    (ignoredResources.has(name) || ignoredResourceGroups.has(name.slice(0, name.indexOf("/"))));
  /** The classes of devices by resource: whoever decides has `preFilter` asked first. */
  let classes: ReadonlyMap<string, DeviceClass> = new Map();
  const anyIgnored = ignoredResources.size + ignoredResourceGroups.size > 0;
  return definePlugin({
    name: "NodeResourcesFit",
    watches: [DeviceClasses],
    forgetOn: [DeviceClasses],
    retryOn: [
      ...retryOn,
      { kind: "nodeUpdated", helps: ({ pod, node, old }) => offersDevices(pod, node, old, classes) },
    ],
    preFilter(pod, cluster) {
      if (deviceResourcesOf(pod).length > 0) classes = resourceClasses(cluster);
      return skip;
    },
    filter: ({ facts, node }) => {
      const reasons: string[] = [];
      let resolvable = true;
      if (node.podCount + 1 > (node.allocatable.get("pods") ?? 0)) reasons.push("Too many pods");
      for (const [name, wanted] of facts.requests) {
        if (wanted === 0 || (anyIgnored && ignores(name))) continue;
        const capacity = node.allocatable.get(name) ?? 0;
        // Where no device plugin has it, devices by claim may: they are DynamicResources' to find.
        if (capacity === 0 && classes.has(name)) continue;
        if (wanted <= capacity - (node.requested.get(name) ?? 0)) continue;
        reasons.push(`Insufficient ${name}`);
        if (wanted > capacity) resolvable = false;
      }
      if (reasons.length === 0) return fits;
      return resolvable ? lacks(reasons.join("\n")) : rejects(reasons.join("\n"));
    },
    ...scoring(resources, scorer, "assumed"),
  });
}

const retryOn: readonly RetryHint[] = [
  { kind: "nodeAdded" },
  { kind: "nodeUpdated", helps: ({ pod, node, old }) => offersMore(pod, node, old) },
  { kind: "podGone", helps: () => true },
  {
    kind: "object",
    resource: DeviceClasses,
    helps: ({ pod, change }) => isClassFor(pod, change),
  },
];

/** The class is a resource now that the pod asks for. */
function isClassFor(pod: Pod, change: CacheChange<KubeObject>): boolean {
  if (change.kind === "deleted") return false;
  const before = change.kind === "updated" ? change.old : undefined;
  const asks = (resource: string) => podFacts(pod).requests.has(resource);
  if (before === undefined && asks(ownDeviceResource(change.object.metadata.name))) return true;
  const name = resourceNameOf(change.object);
  return name !== undefined && (before === undefined || name !== resourceNameOf(before)) && asks(name);
}

function resourceNameOf(object: KubeObject): string | undefined {
  const spec: unknown = Reflect.get(object, "spec");
  const name = isJsonObject(spec) ? spec.extendedResourceName : undefined;
  return typeof name === "string" ? name : undefined;
}

/** What the node has has changed, and it is one that may have devices by claim that the pod asks for. */
const offersDevices = (pod: Pod, node: Node, old: Node, classes: ReadonlyMap<string, DeviceClass>): boolean =>
  node.status?.allocatable !== old.status?.allocatable &&
  deviceResourcesOf(pod).some(([name]) => classes.has(name) && asUnits(node.status?.allocatable?.[name] ?? "0") === 0);

/** The node has more of something that the pod asks for. */
function offersMore(pod: Pod, node: Node, old: Node): boolean {
  if (node.status?.allocatable === old.status?.allocatable) return false;
  const [now, before] = [amounts(node.status?.allocatable), amounts(old.status?.allocatable)];
  const grew = (name: string) => (now.get(name) ?? 0) > (before.get(name) ?? 0);
  return grew("pods") || [...podFacts(pod).requests].some(([name, wanted]) => wanted > 0 && grew(name));
}

/** Prefers nodes whose resources would be used to a more like degree than they are. */
export const nodeResourcesBalancedAllocation = (resources: readonly ScoredResource[] = usualResources): Plugin =>
  definePlugin({
    name: "NodeResourcesBalancedAllocation",
    retryOn: [],
    // Pods that ask for nothing change nobody's balance: the evenest node would get all of them.
    concerns: (pod) => resources.some(({ name }) => (podFacts(pod).requests.get(name) ?? 0) > 0),
    ...scoring(resources, balancedAllocation, "requested"),
  });

type Counting = "assumed" | "requested";
type Looked = Pick<FilterRequest, "facts" | "node">;

/** What becomes of devices is not up to the node alone: where some are scored, nodes are looked at anew each time. */
function scoring(
  resources: readonly ScoredResource[],
  scorer: ResourceScorer,
  counting: Counting,
): Pick<Plugin, "score" | "preScore"> {
  if (!resources.some(({ name }) => isDeviceResource(name)))
    return { score: (request) => scorer(resources.map((resource) => allocationOf(request, resource, counting))) };
  return {
    preScore(pod, _, cluster) {
      const facts = podFacts(pod);
      const stands = (node: NodeInfo) => (resource: ScoredResource) =>
        devicesOf({ facts, node }, resource, cluster) ?? allocationOf({ facts, node }, resource, counting);
      return { of: (node) => scorer(resources.map(stands(node))) };
    },
  };
}

/** How the devices of a resource stand that no device plugin has on the node. */
function devicesOf(
  { facts, node }: Looked,
  { name, weight }: ScoredResource,
  cluster: ClusterView,
): Allocation | undefined {
  const wanted = facts.requests.get(name) ?? 0;
  const deviceClass = wanted > 0 && !node.allocatable.get(name) ? resourceClasses(cluster).get(name) : undefined;
  if (deviceClass === undefined) return undefined;
  const { capacity, taken } = deviceTotals(node, deviceClass, cluster);
  return capacity === 0 ? undefined : { capacity, before: taken, after: taken + wanted, weight };
}

const none = { capacity: 0, before: 0, after: 0 };

/** How a resource stands; `assumed`: pods that do not say what they need of CPU and memory count for something. */
function allocationOf({ facts, node }: Looked, { name, weight }: ScoredResource, counting: Counting): Allocation {
  const capacity = node.allocatable.get(name) ?? 0;
  if (counting === "assumed" && (name === "cpu" || name === "memory")) {
    const before = node.weight[name];
    return { capacity, before, after: before + facts.weight[name], weight };
  }
  const wanted = facts.requests.get(name) ?? 0;
  if (!isBasic(name) && (wanted === 0 || !isScalar(name))) return { ...none, weight };
  const before = node.requested.get(name) ?? 0;
  return { capacity, before, after: before + wanted, weight };
}

const isBasic = (name: string): boolean => name === "cpu" || name === "memory" || name === "ephemeral-storage";

/** Resources that come by the piece: those of devices, huge pages, and Kubernetes' own with a domain. */
const isScalar = (name: string): boolean =>
  isExtendedResource(name) ||
  name.startsWith("hugepages-") ||
  name.startsWith("attachable-volumes-") ||
  name.includes("kubernetes.io/");
