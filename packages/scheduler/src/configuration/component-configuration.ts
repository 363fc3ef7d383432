import type { NodeAffinity, TopologySpreadConstraint } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import type { ExtensionPoint } from "./extension-points.ts";

/** A plugin that is named, and how much its scores count. */
export interface NamedPlugin {
  readonly name: string;
  readonly weight?: number;
}

/** Plugins for one extension point, beside those that are there by default; `*` among `disabled` is all of these. */
export interface PluginSet {
  readonly enabled?: readonly NamedPlugin[];
  readonly disabled?: readonly NamedPlugin[];
}

/** `multiPoint`: for every extension point that the plugin has. */
export type PluginSets = Readonly<Partial<Record<ExtensionPoint | "multiPoint", PluginSet>>>;

/** `KubeSchedulerProfile`, as it was written. */
export interface ProfileConfiguration {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: PluginSets;
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: JsonObject }[];
}

/** How connections to an extender are secured; texts of certificates in base64. */
export interface ExtenderTlsConfiguration {
  readonly insecure?: boolean;
  readonly serverName?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  readonly certData?: string;
  readonly keyData?: string;
  readonly caData?: string;
}

/** `Extender`: somebody else, asked over HTTP. A verb that is absent or empty is not supported. */
export interface ExtenderConfiguration {
  readonly urlPrefix: string;
  readonly filterVerb?: string;
  readonly preemptVerb?: string;
  readonly prioritizeVerb?: string;
  readonly weight?: number;
  readonly bindVerb?: string;
  readonly enableHTTPS?: boolean;
  readonly tlsConfig?: ExtenderTlsConfiguration;
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly { readonly name: string; readonly ignoredByScheduler?: boolean }[];
  readonly ignorable?: boolean;
}

/** `KubeSchedulerConfiguration`, as it was written. */
export interface ComponentConfiguration {
  readonly parallelism?: number;
  readonly leaderElection?: { readonly leaderElect?: boolean; readonly resourceLock?: string };
  readonly clientConnection?: { readonly burst?: number };
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
  readonly profiles?: readonly ProfileConfiguration[];
  readonly extenders?: readonly ExtenderConfiguration[];
}

/** A resource, and how much it counts beside others. */
export interface ResourceSpec {
  readonly name: string;
  readonly weight?: number;
}

/** Of a curve: what a utilization (0 to 100) is worth (0 to 10). */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

/** How `NodeResourcesFit` scores. */
export interface ScoringStrategy {
  readonly type?: string;
  readonly resources?: readonly ResourceSpec[];
  readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] };
}

/** Arguments of plugins by the plugins' names, as they were written. */
export interface PluginArguments {
  readonly DefaultPreemption: {
    readonly minCandidateNodesPercentage?: number;
    readonly minCandidateNodesAbsolute?: number;
  };
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight?: number;
    readonly ignorePreferredTermsOfExistingPods?: boolean;
  };
  readonly NodeAffinity: { readonly addedAffinity?: NodeAffinity };
  readonly NodeResourcesBalancedAllocation: { readonly resources?: readonly ResourceSpec[] };
  readonly NodeResourcesFit: {
    readonly ignoredResources?: readonly string[];
    readonly ignoredResourceGroups?: readonly string[];
    readonly scoringStrategy?: ScoringStrategy;
  };
  readonly PodTopologySpread: {
    readonly defaultConstraints?: readonly TopologySpreadConstraint[];
    readonly defaultingType?: string;
  };
  readonly VolumeBinding: { readonly bindTimeoutSeconds?: number; readonly shape?: readonly ShapePoint[] };
  readonly DynamicResources: { readonly filterTimeout?: string; readonly bindingTimeout?: string };
}

/** Plugins that take arguments. */
export type ConfigurablePlugin = keyof PluginArguments;
