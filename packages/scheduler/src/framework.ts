/** What plugins of the scheduler are made of: each decides one thing about one pod on one node, and knows nothing else. */
import type { Node, Pod } from "@skiff/api";
import { assertNever } from "@skiff/base";
import type { NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";

/** What a filter says of a node. */
export type FilterResult =
  | { readonly kind: "fits" }
  /** `resolvable`: removing other pods from the node could help. */
  | { readonly kind: "rejected"; readonly reason: string; readonly resolvable: boolean };

/** The node can take the pod, as far as this plugin is concerned. */
export const fits: FilterResult = { kind: "fits" };

/** The node cannot, and taking other pods away would not change that. */
export const rejects = (reason: string): FilterResult => ({ kind: "rejected", reason, resolvable: false });

/** The node cannot at the moment: other pods hold what this one needs. */
export const lacks = (reason: string): FilterResult => ({ kind: "rejected", reason, resolvable: true });

/** What a plugin looks at. */
export interface FilterRequest {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly node: NodeInfo;
}

/** What happened in the cluster. */
export type ClusterEvent =
  | { readonly kind: "nodeAdded"; readonly node: Node }
  | { readonly kind: "nodeUpdated"; readonly node: Node; readonly old: Node }
  /** A pod that had a node is gone, or has ended: what it held is free. */
  | { readonly kind: "podGone"; readonly gone: Pod };

/** A change in the cluster that may make a rejected pod schedulable: the pod is then tried again. */
export type RetryHint =
  | { readonly kind: "nodeAdded" }
  /** Nodes report often, and most reports change nothing that matters: `helps` tells those that do. */
  | {
      readonly kind: "nodeUpdated";
      readonly helps: (change: { readonly pod: Pod; readonly node: Node; readonly old: Node }) => boolean;
    }
  | {
      readonly kind: "podGone";
      readonly helps: (change: { readonly pod: Pod; readonly gone: Pod }) => boolean;
    };

/** Whether an event is what a hint waits for. */
export function hintMatches(hint: RetryHint, event: ClusterEvent, pod: Pod): boolean {
  switch (hint.kind) {
    case "nodeAdded":
      return event.kind === "nodeAdded";
    case "nodeUpdated":
      return event.kind === "nodeUpdated" && hint.helps({ pod, node: event.node, old: event.old });
    case "podGone":
      return event.kind === "podGone" && hint.helps({ pod, gone: event.gone });
    default:
      return assertNever(hint);
  }
}

/** One criterion of scheduling. */
export interface Plugin {
  /** Kubernetes' name of it. */
  readonly name: string;
  /** Why the pod must not even be tried; `undefined`: it may be. */
  readonly preEnqueue?: (pod: Pod) => string | undefined;
  /** False for pods to which neither filter nor score of this plugin matters. Absent: it matters to all. */
  readonly concerns?: (pod: Pod) => boolean;
  /** Names of the nodes that alone come into question, where the pod itself says so; `undefined`: all do. */
  readonly preFilter?: (pod: Pod) => ReadonlySet<string> | undefined;
  readonly filter?: (request: FilterRequest) => FilterResult;
  /** How good the node is for the pod, 0 to 100 after `normalize`. */
  readonly score?: (request: FilterRequest) => number;
  /** Brings raw scores of all nodes into 0 to 100, in place. Absent: they are already. */
  readonly normalize?: (scores: number[]) => void;
  /** How much the score counts beside others; 1 where absent. */
  readonly weight?: number;
  readonly retryOn: readonly RetryHint[];
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
