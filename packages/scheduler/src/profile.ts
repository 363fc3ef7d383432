import type { Pod } from "@skiff/api";
import type { ClusterView, Plugin, QueuedPod } from "./framework.ts";
import { defaultPlugins } from "./plugins/list.ts";
import { type CandidateLimits, defaultCandidateLimits } from "./preemption/candidate-limits.ts";
import { ShapeCache } from "./shape-cache.ts";

/** The scheduler that pods get which name none. */
export const defaultSchedulerName = "default-scheduler";

/** How one scheduler of this name decides. */
export interface Profile {
  readonly schedulerName: string;
  readonly plugins: readonly Plugin[];
  /** How many of the nodes that could take a pod are scored; 0: as many as the size of the cluster suggests. */
  readonly percentageOfNodesToScore: number;
  /** On how many nodes the end of other pods is thought through. */
  readonly candidateLimits: CandidateLimits;
  readonly cache: ShapeCache;
}

/** A profile; the default one where nothing is said. */
export function createProfile(
  parts: {
    readonly schedulerName?: string;
    readonly plugins?: readonly Plugin[];
    readonly percentageOfNodesToScore?: number;
    readonly candidateLimits?: CandidateLimits;
  } = {},
): Profile {
  const { schedulerName = defaultSchedulerName, plugins = defaultPlugins(), percentageOfNodesToScore = 0 } = parts;
  const { candidateLimits = defaultCandidateLimits } = parts;
  return { schedulerName, plugins, percentageOfNodesToScore, candidateLimits, cache: new ShapeCache(plugins) };
}

/** Why a pod must not be tried yet, and which plugin says so. */
export function gateOf(
  { plugins }: Profile,
  pod: Pod,
  cluster: ClusterView,
): { readonly plugin: string; readonly reason: string } | undefined {
  for (const { name, preEnqueue } of plugins) {
    const reason = preEnqueue?.(pod, cluster);
    if (reason !== undefined) return { plugin: name, reason };
  }
  return undefined;
}

/** The order in which a profile's pods are tried. */
export const sortOf = ({ plugins }: Profile): ((a: QueuedPod, b: QueuedPod) => number) =>
  plugins.find(({ queueSort }) => queueSort !== undefined)?.queueSort ?? (() => 0);
