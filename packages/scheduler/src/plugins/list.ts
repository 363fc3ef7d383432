import type { NodeAffinity } from "@skiff/api";
import type { Plugin } from "../framework.ts";
import { defaultBinder } from "./default-binder.ts";
import { defaultPreemption } from "./default-preemption.ts";
import { type DynamicResourcesOptions, dynamicResources } from "./dynamic-resources.ts";
import { imageLocality } from "./image-locality.ts";
import { type InterPodAffinityOptions, interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeDeclaredFeatures } from "./node-declared-features.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import {
  type NodeResourcesFitOptions,
  nodeResourcesBalancedAllocation,
  nodeResourcesFit,
  type ScoredResource,
} from "./node-resources.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";
import { type PodTopologySpreadOptions, podTopologySpread } from "./pod-topology-spread.ts";
import { prioritySort } from "./priority-sort.ts";
import { schedulingGates } from "./scheduling-gates.ts";
import { taintToleration } from "./taint-toleration.ts";
import { type VolumeBindingOptions, volumeBinding } from "./volume-binding.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";
import { volumeZone } from "./volume-zone.ts";

/** What plugins can be told. What is absent is as Kubernetes has it. */
export interface PluginOptions {
  readonly dynamicResources?: DynamicResourcesOptions;
  readonly interPodAffinity?: InterPodAffinityOptions;
  readonly addedNodeAffinity?: NodeAffinity;
  readonly balancedResources?: readonly ScoredResource[];
  readonly nodeResourcesFit?: NodeResourcesFitOptions;
  readonly podTopologySpread?: PodTopologySpreadOptions;
  readonly volumeBinding?: VolumeBindingOptions;
}

/** The plugins of the default profile, in the order in which they are asked; for one profile only. */
export const defaultPlugins = (options: PluginOptions = {}): readonly Plugin[] => [
  schedulingGates,
  prioritySort,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity(options.addedNodeAffinity),
  nodePorts,
  nodeResourcesFit(options.nodeResourcesFit),
  volumeRestrictions,
  nodeVolumeLimits(),
  nodeDeclaredFeatures,
  volumeBinding(options.volumeBinding),
  volumeZone,
  podTopologySpread(options.podTopologySpread),
  interPodAffinity(options.interPodAffinity),
  dynamicResources(options.dynamicResources),
  defaultPreemption,
  nodeResourcesBalancedAllocation(options.balancedResources),
  imageLocality,
  defaultBinder,
];
