import type { Rejection } from "./decision.ts";
import type { FilterRequest, Plugin } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { rejectionOf } from "./rejections.ts";

/** What plugins say of a node as it is in one generation, for pods of one shape. */
export interface Verdict {
  readonly generation: number;
  readonly rejection: Rejection | undefined;
  /** Raw scores, one for each scoring plugin; empty where rejected. */
  readonly scores: readonly number[];
}

/** So many verdicts are kept in all. */
const verdictLimit = 500_000;

/**
 * Verdicts on nodes by the shape of pods. Most pods look like others, and between two decisions few nodes change: only those
 * are looked at again.
 */
export class ShapeCache {
  readonly #filters: readonly Plugin[];
  readonly #scorers: readonly Plugin[];
  readonly #shapes = new Map<PodFacts, (Verdict | undefined)[]>();

  constructor(plugins: readonly Plugin[]) {
    this.#filters = plugins.filter(({ filter }) => filter !== undefined);
    this.#scorers = plugins.filter(({ score }) => score !== undefined);
  }

  /** The plugins of `Verdict.scores`. */
  get scorers(): readonly Plugin[] {
    return this.#scorers;
  }

  /** Verdicts on nodes, by slot, for pods of a shape: handed to `verdict`. */
  verdicts(facts: PodFacts): (Verdict | undefined)[] {
    let known = this.#shapes.get(facts);
    if (known === undefined) known = [];
    else this.#shapes.delete(facts);
    this.#shapes.set(facts, known);
    let sum = 0;
    if (this.#shapes.size > 1) for (const verdicts of this.#shapes.values()) sum += verdicts.length + 1;
    for (const [oldest, verdicts] of this.#shapes) {
      if (sum <= verdictLimit || oldest === facts) break;
      this.#shapes.delete(oldest);
      sum -= verdicts.length + 1;
    }
    return known;
  }

  /** What there is to say of the node as it is. */
  verdict(verdicts: (Verdict | undefined)[], request: FilterRequest): Verdict {
    const { node } = request;
    const known = verdicts[node.slot];
    if (known?.generation === node.generation) return known;
    const verdict = this.#judge(request, node);
    verdicts[node.slot] = verdict;
    return verdict;
  }

  /** The first plugin that refuses the node as it is supposed to be. */
  rejection(request: FilterRequest): Rejection | undefined {
    for (const { name, filter, concerns } of this.#filters) {
      if (filter === undefined || concerns?.(request.pod) === false) continue;
      const result = filter(request);
      if (result.kind === "rejected") return rejectionOf(name, result);
    }
    return undefined;
  }

  #judge(request: FilterRequest, { generation }: NodeInfo): Verdict {
    const rejection = this.rejection(request);
    if (rejection !== undefined) return { generation, rejection, scores: [] };
    const scores = this.#scorers.map(({ score, concerns }) =>
      score === undefined || concerns?.(request.pod) === false ? 0 : score(request),
    );
    return { generation, rejection: undefined, scores };
  }
}
