import type { Clock, Logger, Random } from "@skiff/base";
import type { Client, EventRecorder, Informers } from "@skiff/client";
import type { QueueStats } from "./queue-metrics.ts";

/** What a loop lives on. */
export interface LoopContext {
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How a loop is doing. */
export interface LoopStats {
  readonly name: string;
  /** Keys ready to be worked on. */
  readonly queued: number;
  readonly active: number;
  readonly queue: QueueStats;
  /** Reconciliations that ended well, and those that did not, since the start. */
  readonly succeeded: number;
  readonly failed: number;
}

/** A loop at work. Disposal stops it and waits for what is under way. */
export interface RunningLoop extends AsyncDisposable {
  stats(): LoopStats;
}

/** Something that runs for as long as the cluster does. Most are made by `defineController`. */
export interface Loop {
  /** As in `replica-set`. */
  readonly name: string;
  /** How it signs its events, as in `replicaset-controller`. */
  readonly component: string;
  start(context: LoopContext): RunningLoop;
}
