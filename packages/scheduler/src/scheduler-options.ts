import type { Clock, Logger, Random } from "@skiff/base";
import type { Client, EventRecorder, Informers } from "@skiff/client";
import type { SchedulerConfiguration } from "./configuration/configuration.ts";

/** What a scheduler works with. */
export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: Informers;
  /** Whom events say they are from: for each scheduler name that pods may give. */
  readonly recorderOf: (schedulerName: string) => EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Kubernetes' defaults where absent. */
  readonly configuration?: SchedulerConfiguration;
}
