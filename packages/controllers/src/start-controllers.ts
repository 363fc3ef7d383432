import { type RunControllersOptions, type RunningControllers, runControllers } from "@skiff/control-loop";
import { allControllers, type ControllerSettings } from "./all-controllers.ts";
import { servedResourceSet } from "./resource-set.ts";

/**
 * Starts every controller. Disposal stops them; with several servers only the leader runs them (`whileLeading`).
 *
 * @example
 * await using controllers = startControllers({ client, informers, clock, random, logger, rootCertificate });
 */
export function startControllers(options: RunControllersOptions & ControllerSettings): RunningControllers {
  return runControllers(allControllers(servedResourceSet(options.informers), options), options);
}
