import type { BackoffPolicy } from "@skiff/base";
import { type CandidateLimits, defaultCandidateLimits } from "../preemption/plan-preemption.ts";
import { createProfile, type Profile } from "../profile.ts";
import { usualBackoff } from "../queue.ts";

/** How pods are scheduled. */
export interface SchedulerConfiguration {
  /** One for each name that pods may give; pods that name another scheduler are left alone. */
  readonly profiles: readonly Profile[];
  readonly backoff: BackoffPolicy;
  readonly candidateLimits: CandidateLimits;
}

/** Kubernetes' defaults. */
export const defaultConfiguration = (): SchedulerConfiguration => ({
  profiles: [createProfile()],
  backoff: usualBackoff,
  candidateLimits: defaultCandidateLimits,
});
