import type { Pod } from "@skiff/api";
import type { ClusterState } from "./cluster-state.ts";
import type { Rejection } from "./decision.ts";
import type { FilterRequest, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { rejectionOf } from "./rejections.ts";

/** The code of nodes that have not been looked at as they are now. */
export const unknown = 0xffff;
/** Reasons with figures of their own could be many: who has met so many begins anew. */
const reasonLimit = 10_000;

/** The plugins whose answers hold for all pods of a shape. */
export interface ShapePlugins {
  readonly filters: readonly Plugin[];
  readonly scorers: readonly Plugin[];
}

/** The first of the plugins that refuses the node as it is supposed to be. */
export function firstRejection(filters: readonly Plugin[], request: FilterRequest): Rejection | undefined {
  for (const { name, filter, concerns } of filters) {
    if (filter === undefined || concerns?.(request.pod) === false) continue;
    const result = filter(request);
    if (result.kind === "rejected") return rejectionOf(name, result);
  }
  return undefined;
}

/**
 * How nodes stand for pods of one shape: what `filter` and `score` of all plugins say of each, in a few bytes by the node's slot.
 * Between two decisions few nodes change, and only those are asked about again: the others cost reading a number.
 */
export class Standing {
  readonly #facts: PodFacts;
  readonly #plugins: ShapePlugins;
  readonly #reasons: Rejection[] = [];
  readonly #codeOf = new Map<Rejection, number>();
  #codes = new Uint16Array();
  #scores: readonly Float64Array[] = [];
  #state: ClusterState | undefined;
  #upTo = 0;
  /** Slots that have changed since the last decision. */
  #changed: number[] = [];
  /** How many slots have code 0 or `unknown`. */
  #open = 0;

  constructor(facts: PodFacts, plugins: ShapePlugins) {
    this.#facts = facts;
    this.#plugins = plugins;
  }

  /** It has seen so many different reasons that another one should take its place. */
  get isWorn(): boolean {
    return this.#reasons.length > reasonLimit;
  }

  /** What codes mean: 1 more than an index of this. Only ever grows. */
  get reasons(): readonly Rejection[] {
    return this.#reasons;
  }

  /** Forgets what has changed since the last decision. */
  follow(state: ClusterState): void {
    const { changes, slotCount } = state;
    if (this.#codes.length < slotCount || this.#state !== state) {
      this.#begin(Math.ceil(slotCount * 1.25));
      this.#state = state;
    } else if (
      !changes.visitSince(this.#upTo, (slot) => {
        if (this.#codes[slot] !== unknown) this.#changed.push(slot);
        this.#set(slot, unknown);
      })
    ) {
      this.#codes.fill(unknown);
      this.#open = this.#codes.length;
    }
    this.#upTo = changes.head;
  }

  /** By slot. 0: the node can take the pod as far as it alone decides; `unknown`; else 1 more than an index of `reasons`. */
  get codes(): Uint16Array {
    return this.#codes;
  }

  /** The code of a node that is not known. */
  ask(pod: Pod, node: NodeInfo, state: ClusterState): number {
    const { slot } = node;
    const code = this.codeOf(this.#judge(pod, node, state));
    this.#set(slot, code);
    if (code === 0) this.#score({ pod, facts: this.#facts, node });
    return code;
  }

  /**
   * All codes in the order of the list, from `start` round its end, where no node could take the pod; `undefined` where one may.
   * Asks about nodes that have changed: what a decision about a full cluster costs is what has changed since the last.
   */
  refusals(pod: Pod, state: ClusterState, start: number): Uint16Array | undefined {
    const { nodes, isInSlotOrder } = state;
    const changed = this.#changed;
    this.#changed = [];
    if (!isInSlotOrder) return undefined;
    for (const slot of changed) {
      const node = nodes[slot];
      if (node !== undefined && this.#codes[slot] === unknown) this.ask(pod, node, state);
    }
    // Slots beyond the list have never been asked about.
    if (this.#open > this.#codes.length - nodes.length) return undefined;
    const codes = new Uint16Array(nodes.length);
    codes.set(this.#codes.subarray(start, nodes.length), 0);
    codes.set(this.#codes.subarray(0, start), nodes.length - start);
    return codes;
  }

  /** A scoring plugin's raw score of a node whose code is 0. */
  score(scorer: number, { slot }: NodeInfo): number {
    return this.#scores[scorer]?.[slot] ?? 0;
  }

  codeOf(rejection: Rejection | undefined): number {
    if (rejection === undefined) return 0;
    let code = this.#codeOf.get(rejection);
    if (code === undefined) {
      code = this.#reasons.push(rejection);
      this.#codeOf.set(rejection, code);
    }
    return code;
  }

  /** Why the node will not do, with the pods that are nominated to it and come first, or as it is. */
  #judge(pod: Pod, node: NodeInfo, { nominations }: ClusterState): Rejection | undefined {
    const facts = this.#facts;
    const { filters } = this.#plugins;
    const added = nominations.before(node.name, { uid: pod.metadata.uid, priority: facts.priority });
    if (added.length > 0) {
      const supposing = { added, gone: [] };
      const refused = firstRejection(filters, { pod, facts, node: node.supposing(supposing), supposing });
      if (refused !== undefined) return refused;
    }
    return firstRejection(filters, { pod, facts, node });
  }

  #score(request: FilterRequest): void {
    const { slot } = request.node;
    this.#plugins.scorers.forEach(({ score, concerns }, index) => {
      const scores = this.#scores[index];
      if (score === undefined || scores === undefined) return;
      scores[slot] = concerns?.(request.pod) === false ? 0 : score(request);
    });
  }

  #set(slot: number, code: number): void {
    const isOpen = (one: number) => Number(one === 0 || one === unknown);
    this.#open += isOpen(code) - isOpen(this.#codes[slot] ?? unknown);
    this.#codes[slot] = code;
  }

  #begin(slots: number): void {
    this.#codes = new Uint16Array(slots).fill(unknown);
    this.#open = slots;
    this.#scores = this.#plugins.scorers.map(() => new Float64Array(slots));
  }
}
