import type { PodDisruptionBudget } from "@skiff/api";
import type { ClusterState } from "../cluster-state.ts";
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

/** What holds at the moment. */
export interface Circumstances {
  readonly state: ClusterState;
  readonly budgets: readonly PodDisruptionBudget[];
  readonly own: NodeInfo | undefined;
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
  #results: (Result | undefined)[] = [];
  #state: ClusterState | undefined;
  #upTo = 0;

  /** What holds for this pod. `own`: the node that is promised to it, which others find taken and it does not. */
  of(inquiry: Inquiry, { state, budgets, own }: Circumstances): KnownVictims {
    if (inquiry.looks.length > 0) return nothingKnown;
    const sameBudgets = this.#budgets === budgets || (this.#budgets.length === 0 && budgets.length === 0);
    const holds = this.#facts === inquiry.facts && sameBudgets && this.#state === state;
    const results = holds ? this.#results : [];
    const followed = state.changes.visitSince(this.#upTo, (slot) => {
      results[slot] = undefined;
    });
    this.#results = followed ? results : [];
    this.#facts = inquiry.facts;
    this.#budgets = budgets;
    this.#state = state;
    this.#upTo = state.changes.head;
    return this.#known(own);
  }

  #known(own: NodeInfo | undefined): KnownVictims {
    const results = this.#results;
    return {
      get: (node) => (node === own ? undefined : results[node.slot]),
      put: (node, result) => {
        if (node !== own) results[node.slot] = result;
        return result;
      },
    };
  }
}
