import type { Decision } from "./decide.ts";

/** So many nodes' parts in decisions are kept at most: on a large cluster fewer decisions, on a small one more. */
const entryLimit = 200_000;

/** The last decision about each pod, for as long as there is room; the oldest go first. */
export class DecisionLog {
  readonly #decisions = new Map<string, Decision>();
  #entries = 0;

  /** By a pod's uid. */
  get(uid: string): Decision | undefined {
    return this.#decisions.get(uid);
  }

  remember(uid: string, decision: Decision): void {
    this.forget(uid);
    this.#decisions.set(uid, decision);
    this.#entries += sizeOf(decision);
    for (const oldest of this.#decisions.keys()) {
      if (this.#entries <= entryLimit) return;
      this.forget(oldest);
    }
  }

  forget(uid: string): void {
    const known = this.#decisions.get(uid);
    if (known === undefined) return;
    this.#decisions.delete(uid);
    this.#entries -= sizeOf(known);
  }
}

const sizeOf = (decision: Decision): number =>
  1 + decision.rejections.size + (decision.kind === "placed" ? decision.scores.size : 0);
