import type { Pod, PodDisruptionBudget } from "@skiff/api";
import type { Inquiry } from "../decide.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodFacts } from "../pod-facts.ts";
import { type Candidate, type NotHelped, priorityOf } from "./select-victims.ts";

type Result = Candidate | NotHelped;

interface Shape {
  readonly facts: PodFacts;
  readonly priority: number;
  readonly budgets: readonly PodDisruptionBudget[];
}

interface Known {
  readonly generation: number;
  readonly result: Result;
}

/**
 * What was found out of nodes for the last shape of pod that looked for victims: a burst of pods that are alike looks again only at
 * nodes that have changed. Pods that look beyond the node (spreading, affinity), and nodes promised to others, are looked at anew.
 */
export class VictimCache {
  #shape: Shape | undefined;
  readonly #known = new Map<number, Known>();

  get(
    inquiry: Inquiry,
    node: NodeInfo,
    nominated: readonly Pod[],
    budgets: readonly PodDisruptionBudget[],
  ): Result | undefined {
    if (!this.#holds(inquiry, nominated, budgets)) return undefined;
    const known = this.#known.get(node.slot);
    return known?.generation === node.generation ? known.result : undefined;
  }

  put(
    inquiry: Inquiry,
    node: NodeInfo,
    nominated: readonly Pod[],
    budgets: readonly PodDisruptionBudget[],
    result: Result,
  ): void {
    if (inquiry.looks.length > 0 || nominated.length > 0) return;
    if (!this.#holds(inquiry, nominated, budgets)) {
      this.#known.clear();
      this.#shape = { facts: inquiry.facts, priority: priorityOf(inquiry.pod), budgets };
    }
    this.#known.set(node.slot, { generation: node.generation, result });
  }

  #holds({ looks, facts, pod }: Inquiry, nominated: readonly Pod[], budgets: readonly PodDisruptionBudget[]): boolean {
    const shape = this.#shape;
    return (
      looks.length === 0 &&
      nominated.length === 0 &&
      shape?.facts === facts &&
      shape.priority === priorityOf(pod) &&
      (shape.budgets === budgets || (shape.budgets.length === 0 && budgets.length === 0))
    );
  }
}
