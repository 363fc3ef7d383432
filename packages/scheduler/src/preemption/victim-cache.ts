import type { PodDisruptionBudget } from "@skiff/api";
import type { Inquiry } from "../filter-nodes.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodFacts } from "../pod-facts.ts";
import type { Candidate, NotHelped } from "./select-victims.ts";

type Result = Candidate | NotHelped;

/** What is known of nodes. */
export interface KnownVictims {
  get(node: NodeInfo): Result | undefined;
  put(node: NodeInfo, result: Result): Result;
}

/** For pods that look beyond the node (spreading, affinity): each node is looked at anew. */
const nothingKnown: KnownVictims = { get: () => undefined, put: (_, result) => result };

/**
 * What was found out of nodes for the last shape of pod that looked for victims: a burst of pods that are alike looks again only at
 * nodes that have changed.
 */
export class VictimCache {
  #facts: PodFacts | undefined;
  #budgets: readonly PodDisruptionBudget[] = [];
  #generations: number[] = [];
  #results: Result[] = [];

  /** What holds for this pod. `own`: the node that is promised to it, which others find taken and it does not. */
  of(inquiry: Inquiry, budgets: readonly PodDisruptionBudget[], own: NodeInfo | undefined): KnownVictims {
    if (inquiry.looks.length > 0) return nothingKnown;
    const sameBudgets = this.#budgets === budgets || (this.#budgets.length === 0 && budgets.length === 0);
    if (this.#facts !== inquiry.facts || !sameBudgets) {
      this.#facts = inquiry.facts;
      this.#budgets = budgets;
      this.#generations = [];
      this.#results = [];
    }
    return {
      get: (node) =>
        node !== own && this.#generations[node.slot] === node.generation ? this.#results[node.slot] : undefined,
      put: (node, result) => {
        if (node === own) return result;
        this.#generations[node.slot] = node.generation;
        this.#results[node.slot] = result;
        return result;
      },
    };
  }
}
