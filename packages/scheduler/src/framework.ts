/** What plugins of the scheduler are made of: each decides one thing about one pod, and knows nothing of the others. */
import type { KubeObject, Node, Pod, ResourceDefinition } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { CacheChange, Client, Informer } from "@skiff/client";
import type { NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { ClaimUse } from "./topology/claim-use.ts";
import type { ImageIndex } from "./topology/image-index.ts";
import type { TopologyIndex } from "./topology/topology-index.ts";

/** What a filter says of a node. */
export type FilterResult =
  | { readonly kind: "fits" }
  /** `resolvable`: removing other pods from the node could help. */
  | { readonly kind: "rejected"; readonly reason: string; readonly resolvable: boolean };

/**
 * Thrown by a filter: what the pod asks for is wrong in itself, though it may do for other nodes. The attempt ends without a node
 * and is repeated after a while, so that people see the mistake.
 */
export class AttemptFailure extends Error {
  override readonly name = "AttemptFailure";
  readonly code = "ATTEMPT_FAILED";
}

/** The node can take the pod, as far as this plugin is concerned. */
export const fits: FilterResult = { kind: "fits" };

/** The node cannot, and taking other pods away would not change that. */
export const rejects = (reason: string): FilterResult & { readonly kind: "rejected" } => ({
  kind: "rejected",
  reason,
  resolvable: false,
});

/** The node cannot at the moment: other pods hold what this one needs. */
export const lacks = (reason: string): FilterResult & { readonly kind: "rejected" } => ({
  kind: "rejected",
  reason,
  resolvable: true,
});

/** What the node has more and fewer of than it has in the cluster's state. */
export interface Supposition {
  readonly added: readonly Pod[];
  readonly gone: readonly Pod[];
}

/** What a plugin looks at. */
export interface FilterRequest {
  readonly pod: Pod;
  readonly facts: PodFacts;
  /** With what is supposed about it. */
  readonly node: NodeInfo;
  /** Absent: the node as it is. */
  readonly supposing?: Supposition;
}

/** The cluster, as plugins see it. */
export interface ClusterView {
  readonly nodes: readonly NodeInfo[];
  readonly topology: TopologyIndex;
  readonly images: ImageIndex;
  readonly claims: ClaimUse;
  node(name: string): NodeInfo | undefined;
  /** The cache of a resource that the plugin has named in `watches`. */
  informer<T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T>;
}

/** What a plugin finds out about a pod before any node is looked at. */
export type PreFilterResult =
  /** The plugin has nothing to say of the pod's nodes. */
  | { readonly kind: "skip" }
  /** No node will do. */
  | { readonly kind: "rejected"; readonly reason: string; readonly resolvable: boolean }
  | {
      readonly kind: "look";
      /** The nodes that alone come into question. Absent: all. */
      readonly nodes?: ReadonlySet<string>;
      /** Asked for each node; what it says holds for this one decision. */
      readonly filter?: (request: FilterRequest) => FilterResult;
    };

/** The plugin has nothing to say of the pod's nodes. */
export const skip: PreFilterResult = { kind: "skip" };

/** How good nodes are for one pod. */
export interface NodeScores {
  of(node: NodeInfo): number;
  /** Brings raw scores of all nodes into 0 to 100, in place. Absent: they are already. */
  normalize?(scores: number[]): void;
}

/** What reserving and binding may use. */
export interface BindContext {
  readonly client: Client;
  readonly cluster: ClusterView;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What happened in the cluster. */
export type ClusterEvent =
  | { readonly kind: "nodeAdded"; readonly node: Node }
  | { readonly kind: "nodeUpdated"; readonly node: Node; readonly old: Node }
  /** A pod has a node now, or one with a node has other labels. */
  | { readonly kind: "podPlaced"; readonly placed: Pod }
  /** A pod that had a node is gone, or has ended: what it held is free. */
  | { readonly kind: "podGone"; readonly gone: Pod }
  /** Something else that a plugin watches. */
  | { readonly kind: "object"; readonly resource: ResourceDefinition; readonly change: CacheChange<KubeObject> };

/** A change in the cluster that may make a rejected pod schedulable: the pod is then tried again. */
export type RetryHint =
  | { readonly kind: "nodeAdded" }
  /** Nodes report often, and most reports change nothing that matters: `helps` tells those that do. */
  | {
      readonly kind: "nodeUpdated";
      readonly helps: (change: { readonly pod: Pod; readonly node: Node; readonly old: Node }) => boolean;
    }
  | {
      readonly kind: "podPlaced";
      readonly helps: (change: { readonly pod: Pod; readonly placed: Pod }) => boolean;
    }
  | {
      readonly kind: "podGone";
      readonly helps: (change: { readonly pod: Pod; readonly gone: Pod }) => boolean;
    }
  | {
      readonly kind: "object";
      readonly resource: ResourceDefinition;
      readonly helps: (change: { readonly pod: Pod; readonly change: CacheChange<KubeObject> }) => boolean;
    };

/** Whether an event is what a hint waits for. */
export function hintMatches(hint: RetryHint, event: ClusterEvent, pod: Pod): boolean {
  if (hint.kind === "nodeAdded") return event.kind === "nodeAdded";
  if (hint.kind === "nodeUpdated") {
    return event.kind === "nodeUpdated" && hint.helps({ pod, node: event.node, old: event.old });
  }
  if (hint.kind === "podPlaced") return event.kind === "podPlaced" && hint.helps({ pod, placed: event.placed });
  if (hint.kind === "podGone") return event.kind === "podGone" && hint.helps({ pod, gone: event.gone });
  return event.kind === "object" && event.resource === hint.resource && hint.helps({ pod, change: event.change });
}

/** What a plugin does for a pod that no node fits. */
export interface PostFilterResult {
  /** What people read of it. */
  readonly text: string;
  /** Changes something in the cluster that may help. Absent: there is nothing to change. */
  readonly act?: (context: BindContext) => Promise<void>;
}

/** One criterion of scheduling. All parts are optional but the name. */
export interface Plugin {
  /** Kubernetes' name of it. */
  readonly name: string;
  /**
   * Why the pod must not even be tried; `undefined`: it may be. It is asked again when the pod changes, and when an object does
   * that `retryOn` names.
   */
  readonly preEnqueue?: (pod: Pod, cluster: ClusterView) => string | undefined;
  /** What has to be loaded before the pod can be tried. `undefined`: nothing. */
  readonly prepare?: (pod: Pod) => Promise<void> | undefined;
  /** Which of two pods is tried first: negative for `a`. One plugin of a profile has it. */
  readonly queueSort?: (a: QueuedPod, b: QueuedPod) => number;
  /** False for pods to which this plugin does not matter at all. Absent: it matters to all. */
  readonly concerns?: (pod: Pod) => boolean;
  readonly preFilter?: (pod: Pod, cluster: ClusterView) => PreFilterResult;
  /**
   * What depends on nothing but the pod's shape (see `podFacts`) and the node with its pods: remembered until the node
   * changes. What looks further belongs to `preFilter`.
   */
  readonly filter?: (request: FilterRequest) => FilterResult;
  readonly preScore?: (pod: Pod, feasible: readonly NodeInfo[], cluster: ClusterView) => NodeScores | undefined;
  /** How good the node is for the pod, 0 to 100 after `normalize`. Remembered as the filter's answer is. */
  readonly score?: (request: FilterRequest) => number;
  /** Brings raw scores of all nodes into 0 to 100, in place. Absent: they are already. */
  readonly normalize?: (scores: number[]) => void;
  /** How much the score counts beside others; 1 where absent. */
  readonly weight?: number;
  /** What can be done once no node fits. `preemption`: to look for pods whose end would make room. */
  readonly postFilter?: "preemption" | ((pod: Pod, cluster: ClusterView) => PostFilterResult | undefined);
  /** Sets aside what the pod needs besides the node itself; gives what takes that back. */
  readonly reserve?: (pod: Pod, node: NodeInfo, cluster: ClusterView) => Disposable | undefined;
  /** Resolves when the pod may be bound; throws where it may not. */
  readonly permit?: (pod: Pod, node: NodeInfo, context: BindContext) => Promise<void>;
  /** Work that has to be done before the pod is bound. `undefined`: there is none. */
  readonly preBind?: (pod: Pod, node: NodeInfo, context: BindContext) => Promise<void> | undefined;
  /** Binds the pod. The first plugin of a profile that has it does it. */
  readonly bind?: (pod: Pod, node: NodeInfo, context: BindContext) => Promise<void>;
  readonly postBind?: (pod: Pod, node: NodeInfo) => void;
  /** Resources whose caches it reads besides nodes and pods. */
  readonly watches?: readonly ResourceDefinition[];
  /** Resources whose changes void what is remembered of `filter` and `score`: those that change seldom. */
  readonly forgetOn?: readonly ResourceDefinition[];
  readonly retryOn: readonly RetryHint[];
}

/** A pod in the queue. */
export interface QueuedPod {
  readonly pod: Pod;
  readonly sinceMs: number;
}

/** Declares a plugin. */
export const definePlugin = (plugin: Plugin): Plugin => plugin;

/** Scales so that the highest becomes 100 (or 0, and the lowest 100, where fewer is better). */
export function scaleToHundred(scores: number[], options: { readonly fewerIsBetter: boolean }): void {
  const highest = scores.reduce((most, score) => Math.max(most, score), 0);
  scores.forEach((score, index) => {
    const scaled = highest === 0 ? 0 : Math.floor((score * 100) / highest);
    scores[index] = options.fewerIsBetter ? 100 - scaled : scaled;
  });
}
