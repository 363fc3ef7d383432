/** What makes one more controller a small thing: caches, queues, workers and retries around a `reconcile` function. */
export {
  type Caches,
  type ControllerDefinition,
  defineController,
  type Owned,
  owning,
  type ReconcileContext,
  type Watch,
  watching,
} from "./define-controller.ts";
export type { Loop, LoopContext, LoopStats, RunningLoop } from "./loop.ts";
export { againIn, done, type Outcome } from "./outcome.ts";
export type { QueueStats } from "./queue-metrics.ts";
export { type RunControllersOptions, type RunningControllers, runControllers } from "./run-controllers.ts";
export { retryPolicy, WorkQueue } from "./work-queue.ts";
