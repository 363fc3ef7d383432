import type { Pod } from "@skiff/api";
import { PodDisruptionBudgets } from "@skiff/api";
import { type Background, isAbort, type Logger, type Random } from "@skiff/base";
import type { Informers } from "@skiff/client";
import { type Attempt, type AttemptInput, attempt } from "./attempt.ts";
import type { ClusterState } from "./cluster-state.ts";
import { asksAbout, attemptWithExtenders } from "./extenders/ask-extenders.ts";
import type { Extender } from "./extenders/extender.ts";
import { AttemptFailure, type ClusterView } from "./framework.ts";
import { VictimCache } from "./preemption/victim-cache.ts";
import type { Profile } from "./profile.ts";

interface Surroundings {
  readonly state: ClusterState;
  readonly view: ClusterView;
  readonly informers: Informers;
  readonly random: Random;
  readonly logger: Logger;
  readonly background: Background;
}

/** What becomes of a decision. */
export interface Outcome {
  decided(attempt: Attempt): void;
  /** Somebody who had to be asked gave no answer, or what the pod asks for is wrong in itself. */
  failed(error: unknown, signal: AbortSignal): Promise<void>;
  /** Others were asked, and the next decision can be made. */
  free(): void;
}

/**
 * Makes decisions, one after the other: at once, or together with extenders. While these are asked about a pod nothing else is
 * decided, as what they are told has to hold.
 */
export class Decider {
  extenders: readonly Extender[] = [];
  readonly #surroundings: Surroundings;
  readonly #victims = new VictimCache();
  #isAsking = false;
  /** The node with which the next decision begins. */
  #nextStart = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Somebody is asked about a pod. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  decide(pod: Pod, profile: Profile, outcome: Outcome): void {
    const { state, view, random, informers, logger, background } = this.#surroundings;
    const budgets = () => informers.for(PodDisruptionBudgets).list();
    const start = this.#nextStart;
    const input: AttemptInput = { state, view, random, profile, budgets, start, victims: this.#victims };
    const extenders = asksAbout(this.extenders, pod);
    if (extenders.length === 0) {
      this.#decideAtOnce(pod, input, outcome);
      return;
    }
    this.#isAsking = true;
    background.run(`asking about ${pod.metadata.name}`, async (signal) => {
      try {
        this.#hand(await attemptWithExtenders(pod, input, { extenders, logger, signal }), outcome);
      } catch (error) {
        if (!isAbort(error, signal)) await outcome.failed(error, signal);
      } finally {
        this.#isAsking = false;
        outcome.free();
      }
    });
  }

  #decideAtOnce(pod: Pod, input: AttemptInput, outcome: Outcome): void {
    let result: Attempt;
    try {
      result = attempt(pod, input);
    } catch (error) {
      if (!(error instanceof AttemptFailure)) throw error;
      const { background } = this.#surroundings;
      background.run(`failed attempt for ${pod.metadata.name}`, (signal) => outcome.failed(error, signal));
      return;
    }
    this.#hand(result, outcome);
  }

  #hand(result: Attempt, outcome: Outcome): void {
    const count = this.#surroundings.state.nodes.length;
    this.#nextStart = count === 0 ? 0 : (this.#nextStart + result.decided.examined) % count;
    outcome.decided(result);
  }
}
