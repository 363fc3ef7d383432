import type { Node, Pod } from "@skiff/api";

/** What plugins and messages call whoever is asked over HTTP. */
export const extenderName = "Extender";

/** Which nodes an extender leaves, and why it does not want others. */
export interface ExtenderChoice {
  readonly left: ReadonlySet<string>;
  /** By the node's name; the end of other pods could help. */
  readonly failed: ReadonlyMap<string, string>;
  /** By the node's name; nothing could help. */
  readonly hopeless: ReadonlyMap<string, string>;
}

/** Pods that would have to go from a node, and how many of them a budget protects. */
export interface VictimsOf {
  readonly victims: readonly Pod[];
  readonly violations: number;
}

/**
 * Somebody else who is asked about pods. Each step is absent where it does not take part. They throw where there is no answer that can
 * be used. https://kubernetes.io/docs/concepts/extend-kubernetes/#scheduling-extensions
 */
export interface Extender {
  /** Its URL. */
  readonly name: string;
  /** Pods are scheduled without it where it does not answer. */
  readonly ignorable: boolean;
  /** How much its scores count beside those of plugins. */
  readonly weight: number;
  /** False for pods that ask for nothing that it manages. */
  isInterested(pod: Pod): boolean;
  readonly filter?: (pod: Pod, nodes: readonly Node[], signal: AbortSignal) => Promise<ExtenderChoice>;
  /** Scores by the node's name, 0 to 10. */
  readonly prioritize?: (pod: Pod, nodes: readonly Node[], signal: AbortSignal) => Promise<ReadonlyMap<string, number>>;
  readonly bind?: (pod: Pod, node: string, signal: AbortSignal) => Promise<void>;
  /** Which of the pods would have to go, of those that are named; nodes that are left out are no candidates. */
  readonly preempt?: (
    pod: Pod,
    candidates: ReadonlyMap<string, VictimsOf>,
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, VictimsOf>>;
}

/** An extender did not answer, or with what cannot be used. */
export class ExtenderFailure extends Error {
  override readonly name = "ExtenderFailure";
  readonly code = "EXTENDER_FAILED";
}
