import type { Decision } from "./decision.ts";

/** Decisions take so much memory at most, in bytes. */
const sizeLimit = 4 * 1024 * 1024;

/** The last decision about each pod, for as long as there is room; the oldest go first. */
export class DecisionLog {
  readonly #decisions = new Map<string, Decision>();
  #size = 0;

  /** By a pod's uid. */
  get(uid: string): Decision | undefined {
    return this.#decisions.get(uid);
  }

  remember(uid: string, decision: Decision): void {
    this.forget(uid);
    this.#decisions.set(uid, decision);
    this.#size += decision.verdicts.size;
    for (const oldest of this.#decisions.keys()) {
      if (this.#size <= sizeLimit) return;
      this.forget(oldest);
    }
  }

  forget(uid: string): void {
    const known = this.#decisions.get(uid);
    if (known === undefined) return;
    this.#decisions.delete(uid);
    this.#size -= known.verdicts.size;
  }
}
