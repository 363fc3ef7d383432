import {
  type FieldError,
  type Findings,
  fieldError,
  fieldErrorText,
  isExtendedResource,
  qualifiedName,
} from "@skiff/api";
import { parseDuration } from "@skiff/base";
import type {
  ComponentConfiguration,
  ConfigurablePlugin,
  ExtenderConfiguration,
  PluginArguments,
  PluginSets,
  ProfileConfiguration,
} from "./component-configuration.ts";
import { isConfigurable } from "./decode-configuration.ts";
import { extensionPoints } from "./extension-points.ts";
import { pluginArgumentRules } from "./validate-plugin-arguments.ts";

/** A configuration with every profile's arguments of plugins, defaults filled in. */
export interface CompleteConfiguration {
  readonly configuration: ComponentConfiguration & {
    readonly parallelism: number;
    readonly podInitialBackoffSeconds: number;
    readonly podMaxBackoffSeconds: number;
    readonly profiles: readonly ProfileConfiguration[];
  };
  readonly pluginArguments: readonly PluginArguments[];
}

/** All that is wrong with a configuration, in the words of Kubernetes; empty: nothing. */
export function configurationProblems(complete: CompleteConfiguration): string {
  const found = [...new Set([...findings(complete)].map(fieldErrorText))];
  return found.length > 1 ? `[${found.join(", ")}]` : (found[0] ?? "");
}

function* findings({ configuration, pluginArguments }: CompleteConfiguration): Findings {
  const { parallelism, podInitialBackoffSeconds, podMaxBackoffSeconds, profiles } = configuration;
  const burst = configuration.clientConnection?.burst ?? 0;
  if (burst < 0) yield fieldError.invalid("clientConnection.burst", burst, "must be non-negative");
  const { leaderElect = true, resourceLock = "leases" } = configuration.leaderElection ?? {};
  if (leaderElect && resourceLock !== "leases" && resourceLock !== "") {
    yield fieldError.invalid("leaderElection.resourceLock", resourceLock, 'resourceLock value must be "leases"');
  }
  if (parallelism <= 0) {
    yield fieldError.invalid("parallelism", parallelism, "should be an integer value greater than zero");
  }
  const names = new Map<string, number>();
  for (const [index, profile] of profiles.entries()) {
    const path = `profiles[${index}]`;
    const { schedulerName = "" } = profile;
    yield* checkProfile(path, profile, pluginArguments[index]);
    const first = names.get(schedulerName);
    if (first !== undefined) {
      yield fieldError.duplicate(`${path}.schedulerName`, `profiles[${first}].schedulerName`);
    }
    names.set(schedulerName, index);
  }
  yield* checkQueueSort(profiles);
  yield* checkPercentage("percentageOfNodesToScore", configuration.percentageOfNodesToScore);
  if (podInitialBackoffSeconds <= 0) {
    yield fieldError.invalid("podInitialBackoffSeconds", podInitialBackoffSeconds, "must be greater than 0");
  }
  if (podMaxBackoffSeconds < podInitialBackoffSeconds) {
    const message = "must be greater than or equal to PodInitialBackoffSeconds";
    yield fieldError.invalid("podMaxBackoffSeconds", podMaxBackoffSeconds, message);
  }
  yield* checkExtenders("extenders", configuration.extenders ?? []);
}

function* checkPercentage(field: string, percentage: number | undefined): Findings {
  if (percentage === undefined || (percentage >= 0 && percentage <= 100)) return;
  yield fieldError.invalid(field, percentage, "not in valid range [0-100]");
}

/** Plugins that v1 does not know any more. */
const removed = new Set(["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"]);
const apiVersion = "kubescheduler.config.k8s.io/v1";

const removedPlugin = (field: string, name: string): FieldError =>
  fieldError.invalid(
    field,
    name,
    `was invalid in version "${apiVersion}" (KubeSchedulerConfiguration is version "${apiVersion}")`,
  );

function* checkProfile(field: string, profile: ProfileConfiguration, args: PluginArguments | undefined): Findings {
  const { schedulerName = "", plugins = {}, pluginConfig = [] } = profile;
  if (schedulerName === "") yield fieldError.required(`${field}.schedulerName`);
  yield* checkPercentage(`${field}.percentageOfNodesToScore`, profile.percentageOfNodesToScore);
  for (const point of extensionPoints) {
    for (const [index, { name }] of (plugins[point]?.enabled ?? []).entries()) {
      if (removed.has(name)) yield removedPlugin(`${field}.plugins.${point}.enabled[${index}]`, name);
    }
  }
  const seen = new Set<string>();
  for (const [index, { name }] of pluginConfig.entries()) {
    const path = `${field}.pluginConfig[${index}]`;
    if (seen.has(name)) yield fieldError.duplicate(path, name);
    seen.add(name);
    if (removed.has(name)) yield removedPlugin(path, name);
    else if (isConfigurable(name) && args !== undefined) yield* checkArguments(`${path}.args`, name, args);
  }
}

const checkArguments = <Name extends ConfigurablePlugin>(field: string, name: Name, args: PluginArguments): Findings =>
  pluginArgumentRules[name](field, args[name]);

function* checkQueueSort(profiles: readonly ProfileConfiguration[]): Findings {
  const sortOf = (plugins: PluginSets = {}) => JSON.stringify(plugins.queueSort ?? {});
  const [first, ...others] = profiles;
  const count = first?.plugins?.queueSort?.enabled?.length ?? 0;
  if (count > 1) {
    yield fieldError.invalid(
      "profiles[0].plugins.queueSort.Enabled",
      count,
      "only one queue sort plugin can be enabled",
    );
  }
  for (const [index, { plugins }] of others.entries()) {
    if (sortOf(plugins) === sortOf(first?.plugins)) continue;
    const path = `profiles[${index + 1}].plugins.queueSort`;
    yield fieldError.invalid(path, plugins?.queueSort ?? {}, "must be the same for all profiles");
  }
}

function* checkExtenders(field: string, extenders: readonly ExtenderConfiguration[]): Findings {
  const managed = new Set<string>();
  for (const [index, extender] of extenders.entries()) {
    const path = `${field}[${index}]`;
    const { weight = 0, httpTimeout = "0" } = extender;
    if (extender.prioritizeVerb && weight <= 0) {
      yield fieldError.invalid(`${path}.weight`, weight, "must have a positive weight applied to it");
    }
    if (parseDuration(httpTimeout) === undefined) {
      yield fieldError.invalid(`${path}.httpTimeout`, httpTimeout, "must be a duration, as in 30s");
    }
    for (const [at, { name }] of (extender.managedResources ?? []).entries()) {
      const place = `${path}.managedResources[${at}].name`;
      const messages = qualifiedName(name);
      for (const message of messages) yield fieldError.invalid(place, name, message);
      if (messages.length === 0 && !isExtendedResource(name)) {
        yield fieldError.invalid(place, name, "is an invalid extended resource name");
      }
      if (managed.has(name)) yield fieldError.invalid(place, name, "duplicate extender managed resource name");
      managed.add(name);
    }
  }
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length;
  if (binders > 1) {
    const found = `found ${binders} extenders implementing bind`;
    yield fieldError.invalid(field, found, "only one extender can implement bind");
  }
}
