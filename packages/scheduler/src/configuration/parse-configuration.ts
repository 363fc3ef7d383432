import { parseDuration } from "@skiff/base";
import { defaultPlugins, type PluginOptions } from "../plugins/list.ts";
import type { ResourceScorer } from "../plugins/resource-scores.ts";
import { leastAllocated, mostAllocated, requestedToCapacityRatio } from "../plugins/resource-scores.ts";
import { createProfile, defaultSchedulerName, type Profile } from "../profile.ts";
import type {
  ComponentConfiguration,
  PluginArguments,
  ProfileConfiguration,
  ResourceSpec,
  ScoringStrategy,
} from "./component-configuration.ts";
import type { SchedulerConfiguration } from "./configuration.ts";
import { ConfigurationError, decodeConfiguration } from "./decode-configuration.ts";
import { argumentsWithDefaults } from "./default-arguments.ts";
import { ProfileError, resolvePlugins } from "./plugin-sets.ts";
import { profilePlugins } from "./profile-plugins.ts";
import { type CompleteConfiguration, configurationProblems } from "./validate-configuration.ts";

/**
 * Reads a `KubeSchedulerConfiguration` of `kubescheduler.config.k8s.io/v1`, YAML or JSON, strictly. Throws `ConfigurationError` with
 * what Kubernetes says of it.
 */
export function parseSchedulerConfiguration(text: string): SchedulerConfiguration {
  const { configuration, pluginArguments } = decodeConfiguration(text);
  const complete = completed(configuration, pluginArguments);
  const problems = configurationProblems(complete);
  if (problems !== "") throw new ConfigurationError(problems);
  const { podInitialBackoffSeconds, podMaxBackoffSeconds, profiles, extenders = [] } = complete.configuration;
  const ignored = extenders.flatMap(({ managedResources = [] }) =>
    managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler === true).map(({ name }) => name),
  );
  return {
    profiles: profiles.map((profile, index) => {
      const { percentageOfNodesToScore = configuration.percentageOfNodesToScore } = profile;
      const args = complete.pluginArguments[index] ?? argumentsWithDefaults({});
      return buildProfile(profile, args, { ignored, percentageOfNodesToScore: percentageOfNodesToScore ?? 0 });
    }),
    backoff: { initialMs: podInitialBackoffSeconds * 1000, maxMs: podMaxBackoffSeconds * 1000 },
    extenders,
  };
}

function completed(
  configuration: ComponentConfiguration,
  pluginArguments: readonly Partial<PluginArguments>[],
): CompleteConfiguration {
  const { parallelism = 16, podInitialBackoffSeconds = 1, podMaxBackoffSeconds = 10 } = configuration;
  const written: readonly ProfileConfiguration[] = configuration.profiles?.length ? configuration.profiles : [{}];
  // A single profile is the one of pods that name no scheduler; of several each says its name.
  const profiles =
    written.length === 1 ? written.map((one) => ({ schedulerName: defaultSchedulerName, ...one })) : written;
  return {
    configuration: { ...configuration, parallelism, podInitialBackoffSeconds, podMaxBackoffSeconds, profiles },
    pluginArguments: profiles.map((_, index) => argumentsWithDefaults(pluginArguments[index] ?? {})),
  };
}

function buildProfile(
  { schedulerName = "", plugins: sets = {} }: ProfileConfiguration,
  args: PluginArguments,
  {
    ignored,
    percentageOfNodesToScore,
  }: { readonly ignored: readonly string[]; readonly percentageOfNodesToScore: number },
): Profile {
  const all = defaultPlugins(pluginOptions(args, ignored));
  const instances = new Map(all.map((plugin) => [plugin.name, plugin]));
  try {
    const defaults = all.map(({ name, weight }) => ({ name, ...(weight === undefined ? {} : { weight }) }));
    const resolved = resolvePlugins(sets, { defaults, known: new Set(instances.keys()) });
    const sorts = resolved.points.queueSort.length;
    const named = `profile with scheduler name ${JSON.stringify(schedulerName)}`;
    if (sorts !== 1) throw new ProfileError(`only one queue sort plugin required for ${named}, but got ${sorts}`);
    if (resolved.points.bind.length === 0) throw new ProfileError(`at least one bind plugin is needed for ${named}`);
    const { minCandidateNodesPercentage = 0, minCandidateNodesAbsolute = 0 } = args.DefaultPreemption;
    return createProfile({
      schedulerName,
      plugins: profilePlugins(resolved, instances),
      percentageOfNodesToScore,
      candidateLimits: { minCandidateNodesPercentage, minCandidateNodesAbsolute },
    });
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const place = `initializing profiles: creating profile for scheduler name ${schedulerName}: `;
    throw new ConfigurationError(`${place}${error.message}`, { cause: error });
  }
}

const scored = (resources: readonly ResourceSpec[] = []) => resources.map(({ name, weight = 1 }) => ({ name, weight }));

function pluginOptions(args: PluginArguments, ignored: readonly string[]): PluginOptions {
  const fit = args.NodeResourcesFit;
  const { hardPodAffinityWeight = 1, ignorePreferredTermsOfExistingPods = false } = args.InterPodAffinity;
  const { defaultingType, defaultConstraints = [] } = args.PodTopologySpread;
  const { addedAffinity } = args.NodeAffinity;
  const { bindingTimeout = "" } = args.DynamicResources;
  return {
    dynamicResources: { bindingTimeoutMs: parseDuration(bindingTimeout) ?? 600_000 },
    interPodAffinity: { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods },
    ...(addedAffinity === undefined ? {} : { addedNodeAffinity: addedAffinity }),
    balancedResources: scored(args.NodeResourcesBalancedAllocation.resources),
    nodeResourcesFit: {
      ignoredResources: new Set([...(fit.ignoredResources ?? []), ...ignored]),
      ignoredResourceGroups: new Set(fit.ignoredResourceGroups),
      scorer: scorerOf(fit.scoringStrategy),
      resources: scored(fit.scoringStrategy?.resources),
    },
    podTopologySpread: { defaults: defaultingType === "List" ? defaultConstraints : "System" },
    volumeBinding: { bindTimeoutMs: (args.VolumeBinding.bindTimeoutSeconds ?? 600) * 1000 },
  };
}

function scorerOf({ type, requestedToCapacityRatio: ratio }: ScoringStrategy = {}): ResourceScorer {
  if (type === "MostAllocated") return mostAllocated;
  return type === "RequestedToCapacityRatio" ? requestedToCapacityRatio(ratio?.shape ?? []) : leastAllocated;
}
