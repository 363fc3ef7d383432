import { type RunControllersOptions, type RunningControllers, runControllers } from "@skiff/control-loop";
import { allControllers, type ControllerSettings } from "./all-controllers.ts";
import { servedResourceSet } from "./resource-set.ts";

/** All controllers of a cluster at work. */
export interface ClusterControllers extends RunningControllers {
  /** Starts the controllers of this name that were stopped; they know nothing of what was before. */
  startAgain(name: string): void;
}

/**
 * Starts every controller. Disposal stops them; with several servers only the leader runs them (`whileLeading`).
 *
 * @example
 * await using controllers = startControllers({ client, informers, clock, random, logger, rootCertificate });
 */
export function startControllers(options: RunControllersOptions & ControllerSettings): ClusterControllers {
  const resources = servedResourceSet(options.informers);
  const running = runControllers(allControllers(resources, options), options);
  const startAgain = (name: string) => {
    for (const loop of allControllers(resources, options)) if (loop.name === name) running.start(loop);
  };
  return { ...running, startAgain };
}
