import type { Pod, PodDisruptionBudget } from "@skiff/api";
import { type Decided, type DecisionInput, decide } from "./decide.ts";
import { type PreemptionInput, type PreemptionPlan, planPreemption } from "./preemption/plan-preemption.ts";
import type { VictimCache } from "./preemption/victim-cache.ts";

/** What one attempt to place a pod is made from. */
export interface AttemptInput extends DecisionInput {
  /** All disruption budgets, where somebody may have to go. */
  readonly budgets: () => readonly PodDisruptionBudget[];
  readonly victims: VictimCache;
}

/** Where a pod goes, or what is done so that it can go somewhere. */
export interface Attempt {
  readonly decided: Decided;
  /** Absent where the pod has a node, or where no pod is ended for others. */
  readonly plan: PreemptionPlan | undefined;
}

/** Decides about a pod. */
export function attempt(pod: Pod, input: AttemptInput): Attempt {
  const decided = decide(pod, input);
  const preemption = preemptionInput(decided, input);
  return { decided, plan: preemption && planPreemption(pod, preemption) };
}

/** What to plan preemption from; `undefined`: there is no need, or nobody to do it. */
export function preemptionInput(decided: Decided, input: AttemptInput): PreemptionInput | undefined {
  const { state, profile, random, budgets, victims } = input;
  if (decided.node !== undefined || state.nodes.length === 0) return undefined;
  if (!profile.plugins.some(({ postFilter }) => postFilter === "preemption")) return undefined;
  return { decided, state, budgets: budgets(), random, limits: profile.candidateLimits, cache: victims };
}
