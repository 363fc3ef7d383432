import type { ClusterState } from "./cluster-state.ts";
import type { Rejection } from "./decision.ts";
import type { FilterRequest, Plugin } from "./framework.ts";
import type { PodFacts } from "./pod-facts.ts";
import { firstRejection, type ShapePlugins, Standing } from "./standing.ts";

/** What is kept is about so many nodes at most, each counted once a shape. */
const nodeLimit = 500_000;

/** How nodes stand for pods by their shape: most pods look like others. The shapes that were not met for longest go first. */
export class ShapeCache {
  readonly #plugins: ShapePlugins;
  readonly #shapes = new Map<PodFacts, Standing>();

  constructor(plugins: readonly Plugin[]) {
    this.#plugins = {
      filters: plugins.filter(({ filter }) => filter !== undefined),
      scorers: plugins.filter(({ score }) => score !== undefined),
    };
  }

  /** The plugins of `Standing.score`. */
  get scorers(): readonly Plugin[] {
    return this.#plugins.scorers;
  }

  /** How nodes stand for pods of a shape, up to date. */
  standing(facts: PodFacts, state: ClusterState): Standing {
    const known = this.#shapes.get(facts);
    if (known !== undefined) this.#shapes.delete(facts);
    const standing = known === undefined || known.isWorn ? new Standing(facts, this.#plugins) : known;
    this.#shapes.set(facts, standing);
    standing.follow(state);
    while (this.#shapes.size > 1 && this.#shapes.size * state.slotCount > nodeLimit) {
      const [oldest] = this.#shapes.keys();
      if (oldest !== undefined) this.#shapes.delete(oldest);
    }
    return standing;
  }

  /** The first plugin that refuses the node as it is supposed to be. */
  rejection(request: FilterRequest): Rejection | undefined {
    return firstRejection(this.#plugins.filters, request);
  }
}
