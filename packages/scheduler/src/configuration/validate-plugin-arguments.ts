import {
  checkNodeAffinity,
  checkQualifiedName,
  type Findings,
  fieldError,
  type TopologySpreadConstraint,
} from "@skiff/api";
import { parseDuration } from "@skiff/base";
import type { PluginArguments, ResourceSpec, ShapePoint } from "./component-configuration.ts";

/** What is wrong with the arguments of plugins, in the words of Kubernetes. Defaults are filled in already. */
export const pluginArgumentRules: {
  readonly [Name in keyof PluginArguments]: (field: string, args: PluginArguments[Name]) => Findings;
} = {
  *DefaultPreemption(field, { minCandidateNodesPercentage: percentage = 0, minCandidateNodesAbsolute: absolute = 0 }) {
    const [percentagePath, absolutePath] = [
      `${field}.minCandidateNodesPercentage`,
      `${field}.minCandidateNodesAbsolute`,
    ];
    if (percentage < 0 || percentage > 100) {
      yield fieldError.invalid(percentagePath, percentage, "not in valid range [0, 100]");
    }
    if (absolute < 0) yield fieldError.invalid(absolutePath, absolute, "not in valid range [0, inf)");
    if (percentage !== 0 || absolute !== 0) return;
    const message = (other: string) => `cannot be zero at the same time as ${other}`;
    yield fieldError.invalid(percentagePath, percentage, message("minCandidateNodesAbsolute"));
    yield fieldError.invalid(absolutePath, absolute, message("minCandidateNodesPercentage"));
  },
  *InterPodAffinity(field, { hardPodAffinityWeight: weight = 0 }) {
    if (weight >= 0 && weight <= 100) return;
    yield fieldError.invalid(`${field}.hardPodAffinityWeight`, weight, "not in valid range [0, 100]");
  },
  *NodeAffinity(field, { addedAffinity }) {
    if (addedAffinity !== undefined) yield* checkNodeAffinity(`${field}.addedAffinity`, addedAffinity);
  },
  *NodeResourcesBalancedAllocation(field, { resources = [] }) {
    const seen = new Set<string>();
    for (const [index, { name, weight }] of resources.entries()) {
      const path = `${field}.resources[${index}]`;
      if (seen.has(name)) yield fieldError.duplicate(`${path}.name`, name);
      seen.add(name);
      if (weight !== 1) yield fieldError.invalid(`${path}.weight`, weight, "must be 1");
    }
  },
  *NodeResourcesFit(field, args) {
    for (const [index, name] of (args.ignoredResources ?? []).entries()) {
      yield* checkQualifiedName(`${field}.ignoredResources[${index}]`, name);
    }
    for (const [index, group] of (args.ignoredResourceGroups ?? []).entries()) {
      const path = `${field}.ignoredResourceGroups[${index}]`;
      if (group.includes("/")) yield fieldError.invalid(path, group, "resource group name can't contain '/'");
      yield* checkQualifiedName(path, group);
    }
    yield* checkStrategy(`${field}.scoringStrategy`, args.scoringStrategy ?? {});
  },
  *PodTopologySpread(field, { defaultConstraints = [], defaultingType = "" }) {
    const path = `${field}.defaultingType`;
    if (defaultingType !== "System" && defaultingType !== "List") {
      yield fieldError.notSupported(path, defaultingType, ["System", "List"]);
    } else if (defaultingType === "System" && defaultConstraints.length > 0) {
      yield fieldError.invalid(path, defaultingType, "when .defaultConstraints are not empty");
    }
    yield* checkConstraints(`${field}.defaultConstraints`, defaultConstraints);
  },
  *VolumeBinding(field, { bindTimeoutSeconds: seconds = 0, shape }) {
    if (seconds < 0) {
      const message = "invalid BindTimeoutSeconds, should not be a negative value";
      yield fieldError.invalid(`${field}.bindTimeoutSeconds`, seconds, message);
    }
    if (shape === undefined) return;
    const message = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring";
    yield fieldError.invalid(`${field}.shape`, shape, message);
  },
  *DynamicResources(field, { filterTimeout = "0", bindingTimeout = "1s" }) {
    yield* checkDuration(`${field}.filterTimeout`, filterTimeout, { leastMs: 0, message: "must be zero or positive" });
    const message = "must be at least 1 second";
    yield* checkDuration(`${field}.bindingTimeout`, bindingTimeout, { leastMs: 1000, message });
  },
};

function* checkDuration(
  field: string,
  text: string,
  { leastMs, message }: { readonly leastMs: number; readonly message: string },
): Findings {
  const isNegative = text.startsWith("-");
  const size = parseDuration(isNegative ? text.slice(1) : text);
  if (size === undefined) yield fieldError.invalid(field, text, "must be a duration, as in 30s");
  else if ((isNegative ? -size : size) < leastMs) yield fieldError.invalid(field, text, message);
}

const strategies = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];

function* checkStrategy(
  field: string,
  {
    type = "",
    resources = [],
    requestedToCapacityRatio,
  }: NonNullable<PluginArguments["NodeResourcesFit"]["scoringStrategy"]>,
): Findings {
  if (!strategies.includes(type)) yield fieldError.notSupported(`${field}.type`, type, strategies);
  yield* checkResources(`${field}.resources`, resources);
  const path = `${field}.requestedToCapacityRatio`;
  if (type !== "RequestedToCapacityRatio") {
    if (requestedToCapacityRatio === undefined) return;
    yield fieldError.forbidden(path, "must be nil when type is not RequestedToCapacityRatio");
  } else if (requestedToCapacityRatio === undefined) {
    yield fieldError.required(path, "must be specified when type is RequestedToCapacityRatio");
  } else yield* checkShape(`${path}.shape`, requestedToCapacityRatio.shape ?? []);
}

function* checkResources(field: string, resources: readonly ResourceSpec[]): Findings {
  for (const [index, { name, weight = 0 }] of resources.entries()) {
    if (weight > 0 && weight <= 100) continue;
    yield fieldError.invalid(
      `${field}[${index}].weight`,
      weight,
      `resource weight of ${name} not in valid range (0, 100]`,
    );
  }
}

function* checkShape(field: string, shape: readonly ShapePoint[]): Findings {
  if (shape.length === 0) return yield fieldError.required(field, "at least one point must be specified");
  const unsorted = shape.findIndex(
    ({ utilization }, index) => utilization <= (shape[index - 1]?.utilization ?? -Infinity),
  );
  if (unsorted !== -1) {
    const message = "values must be sorted in increasing order";
    yield fieldError.invalid(`${field}[${unsorted}].utilization`, shape[unsorted]?.utilization, message);
  }
  for (const [index, { utilization, score }] of shape.entries()) {
    const path = `${field}[${index}]`;
    if (utilization < 0 || utilization > 100) {
      yield fieldError.invalid(`${path}.utilization`, utilization, "not in valid range [0, 100]");
    }
    if (score < 0 || score > 10) yield fieldError.invalid(`${path}.score`, score, "not in valid range [0, 10]");
  }
}

const actions = ["DoNotSchedule", "ScheduleAnyway"];

function* checkConstraints(field: string, constraints: readonly TopologySpreadConstraint[]): Findings {
  for (const [
    index,
    { maxSkew = 0, topologyKey = "", whenUnsatisfiable = "", labelSelector },
  ] of constraints.entries()) {
    const path = `${field}[${index}]`;
    if (maxSkew <= 0) yield fieldError.invalid(`${path}.maxSkew`, maxSkew, "not in valid range (0, inf)");
    if (topologyKey === "") yield fieldError.required(`${path}.topologyKey`, "can not be empty");
    else yield* checkQualifiedName(`${path}.topologyKey`, topologyKey);
    if (whenUnsatisfiable === "") yield fieldError.required(`${path}.whenUnsatisfiable`, "can not be empty");
    else if (!actions.includes(whenUnsatisfiable)) {
      yield fieldError.notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions);
    }
    if (labelSelector !== undefined) {
      const message = "constraint must not define a selector, as they deduced for each pod";
      yield fieldError.forbidden(`${path}.labelSelector`, message);
    }
    const repeats = (other: TopologySpreadConstraint) =>
      other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable;
    if (constraints.slice(0, index).some(repeats)) {
      yield fieldError.duplicate(path, `{${topologyKey}, ${whenUnsatisfiable}}`);
    }
  }
}
