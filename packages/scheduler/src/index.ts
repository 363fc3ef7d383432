/** Finds a node for every pod: a queue, a decision made of plugins, a binding. */
export { defaultConfiguration, type SchedulerConfiguration } from "./configuration/configuration.ts";
export { ConfigurationError } from "./configuration/decode-configuration.ts";
export { parseSchedulerConfiguration } from "./configuration/parse-configuration.ts";
export type { Decision, Rejection } from "./decision.ts";
export type { NodeVerdict, PodScheduling } from "./explain.ts";
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
export { defaultSchedulerName } from "./profile.ts";
export { Scheduler } from "./scheduler.ts";
export type { SchedulerOptions } from "./scheduler-options.ts";
