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
  /** Stops the loops of this name, in the middle of whatever they do. */
  stop(name: string): Promise<void>;
  /** Starts one beside the others. */
  start(loop: Loop): void;
}

interface Started extends AsyncDisposable {
  readonly name: string;
  stats(): LoopStats;
}

/** Starts the loops. Each has its own queue, workers and event signature; a failure in one does not touch the others. */
export function runControllers(loops: readonly Loop[], options: RunControllersOptions): RunningControllers {
  const started = new Set(loops.map((loop) => startLoop(loop, options)));
  const end = async (some: readonly Started[]) => {
    for (const one of some) started.delete(one);
    await Promise.all(some.map((one) => one[Symbol.asyncDispose]()));
  };
  return {
    stats: () => [...started].map((one) => one.stats()),
    stop: (name) => end([...started].filter((one) => one.name === name)),
    start: (loop) => void started.add(startLoop(loop, options)),
    [Symbol.asyncDispose]: () => end([...started]),
  };
}

function startLoop(loop: Loop, { client, informers, clock, random, ...options }: RunControllersOptions): Started {
  const { name, component } = loop;
  const logger = options.logger.named(name);
  const recorder = createEventRecorder({ client, component, clock, random, logger });
  const running = loop.start({ client, informers, recorder, clock, random, logger });
  return {
    name,
    stats: () => running.stats(),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await recorder[Symbol.asyncDispose]();
    },
  };
}
