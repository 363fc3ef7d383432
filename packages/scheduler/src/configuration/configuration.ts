import type { BackoffPolicy } from "@skiff/base";
import { createProfile, type Profile } from "../profile.ts";
import { usualBackoff } from "../queue.ts";
import type { ExtenderConfiguration } from "./component-configuration.ts";

/** How pods are scheduled. */
export interface SchedulerConfiguration {
  /** One for each name that pods may give; pods that name another scheduler are left alone. */
  readonly profiles: readonly Profile[];
  readonly backoff: BackoffPolicy;
  /** Others who are asked about pods, over HTTP, in order. */
  readonly extenders: readonly ExtenderConfiguration[];
}

/** Kubernetes' defaults. */
export const defaultConfiguration = (): SchedulerConfiguration => ({
  profiles: [createProfile()],
  backoff: usualBackoff,
  extenders: [],
});
