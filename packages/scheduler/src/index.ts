/** Finds a node for every pod: a queue, a decision made of plugins, a binding. */
export { type Decision, type Rejection, unschedulableMessage } from "./decide.ts";
export {
  type ClusterEvent,
  definePlugin,
  type FilterRequest,
  type FilterResult,
  fits,
  lacks,
  type Plugin,
  type RetryHint,
  rejects,
} from "./framework.ts";
export { defaultPlugins } from "./plugins/list.ts";
export { defaultSchedulerName, Scheduler, type SchedulerOptions } from "./scheduler.ts";
