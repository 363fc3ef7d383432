import type { PluginArguments, ResourceSpec } from "./component-configuration.ts";

const usualResources: readonly ResourceSpec[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

const weighted = (resources: readonly ResourceSpec[] = []): readonly ResourceSpec[] =>
  resources.length === 0 ? usualResources : resources.map(({ name, weight }) => ({ name, weight: weight || 1 }));

const withDefaults: {
  readonly [Name in keyof PluginArguments]: (args: PluginArguments[Name]) => PluginArguments[Name];
} = {
  DefaultPreemption: (args) => ({ minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100, ...args }),
  InterPodAffinity: (args) => ({ hardPodAffinityWeight: 1, ...args }),
  NodeAffinity: (args) => args,
  NodeResourcesBalancedAllocation: (args) => ({ ...args, resources: weighted(args.resources) }),
  NodeResourcesFit: (args) => {
    const { scoringStrategy = { type: "LeastAllocated" } } = args;
    return { ...args, scoringStrategy: { ...scoringStrategy, resources: weighted(scoringStrategy.resources) } };
  },
  PodTopologySpread: (args) => ({ ...args, defaultingType: args.defaultingType || "System" }),
  VolumeBinding: (args) => ({ bindTimeoutSeconds: 600, ...args }),
  DynamicResources: (args) => ({ filterTimeout: "10s", bindingTimeout: "10m", ...args }),
};

/** The arguments of all plugins, with what was not said filled in as Kubernetes does. */
export const argumentsWithDefaults = (said: Partial<PluginArguments>): PluginArguments => ({
  DefaultPreemption: withDefaults.DefaultPreemption(said.DefaultPreemption ?? {}),
  InterPodAffinity: withDefaults.InterPodAffinity(said.InterPodAffinity ?? {}),
  NodeAffinity: withDefaults.NodeAffinity(said.NodeAffinity ?? {}),
  NodeResourcesBalancedAllocation: withDefaults.NodeResourcesBalancedAllocation(
    said.NodeResourcesBalancedAllocation ?? {},
  ),
  NodeResourcesFit: withDefaults.NodeResourcesFit(said.NodeResourcesFit ?? {}),
  PodTopologySpread: withDefaults.PodTopologySpread(said.PodTopologySpread ?? {}),
  VolumeBinding: withDefaults.VolumeBinding(said.VolumeBinding ?? {}),
  DynamicResources: withDefaults.DynamicResources(said.DynamicResources ?? {}),
});
