import type { Clock, Logger, Random } from "@skiff/base";
import { type Client, createEventRecorder, type Informers } from "@skiff/client";
import type { Loop, LoopStats } from "./loop.ts";

export interface RunControllersOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Loops at work. Disposal stops them all and waits for what is under way. */
export interface RunningControllers extends AsyncDisposable {
  stats(): readonly LoopStats[];
}

/** Starts the loops. Each has its own queue, workers and event signature; a failure in one does not touch the others. */
export function runControllers(loops: readonly Loop[], options: RunControllersOptions): RunningControllers {
  const { client, informers, clock, random } = options;
  const started = loops.map((loop) => {
    const logger = options.logger.named(loop.name);
    const recorder = createEventRecorder({ client, component: loop.component, clock, random, logger });
    return { recorder, running: loop.start({ client, informers, recorder, clock, random, logger }) };
  });
  return {
    stats: () => started.map(({ running }) => running.stats()),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        started.map(async ({ recorder, running }) => {
          await running[Symbol.asyncDispose]();
          await recorder[Symbol.asyncDispose]();
        }),
      );
    },
  };
}
