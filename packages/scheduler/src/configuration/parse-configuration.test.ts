import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigurationError } from "./decode-configuration.ts";
import { parseSchedulerConfiguration } from "./parse-configuration.ts";

const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
const parse = (text: string) => parseSchedulerConfiguration(head + text);

/** What is said of a configuration that cannot be used. */
function refusal(text: string): string {
  try {
    parseSchedulerConfiguration(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("KubeSchedulerConfiguration", () => {
  it("has Kubernetes' defaults", () => {
    const { profiles, backoff, extenders } = parse("");
    const [profile] = profiles;
    assert.equal(profiles.length, 1);
    assert.equal(profile?.schedulerName, "default-scheduler");
    assert.equal(profile.percentageOfNodesToScore, 0);
    assert.deepEqual(profile.candidateLimits, { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 });
    assert.deepEqual(backoff, { initialMs: 1_000, maxMs: 10_000 });
    assert.deepEqual(extenders, []);
  });

  it("takes what is said in general, and what profiles say otherwise", () => {
    const { profiles, backoff } = parse(
      "parallelism: 4\npercentageOfNodesToScore: 30\npodInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 60\n" +
        "leaderElection: { leaderElect: false }\nclientConnection: { qps: 100, burst: 200 }\n" +
        "profiles: [{ schedulerName: a }, { schedulerName: b, percentageOfNodesToScore: 0 }]\n",
    );
    assert.deepEqual(backoff, { initialMs: 2_000, maxMs: 60_000 });
    assert.deepEqual(
      profiles.map(({ schedulerName, percentageOfNodesToScore }) => [schedulerName, percentageOfNodesToScore]),
      [
        ["a", 30],
        ["b", 0],
      ],
    );
  });

  it("is read as JSON too", () => {
    const text = JSON.stringify({
      apiVersion: "kubescheduler.config.k8s.io/v1",
      kind: "KubeSchedulerConfiguration",
      profiles: [{ schedulerName: "json" }],
    });
    assert.equal(parseSchedulerConfiguration(text).profiles[0]?.schedulerName, "json");
  });
});

const plugin = (name: string, args: string) => `profiles:\n- pluginConfig:\n  - name: ${name}\n    args: ${args}\n`;
const argsPath = "profiles[0].pluginConfig[0].args";

const refusals: readonly (readonly [string, string, string])[] = [
  [
    "an unknown field",
    "parallelizm: 4\nprofiles: [{ foo: 1 }]\n",
    'strict decoding error: unknown field "parallelizm", unknown field "profiles[0].foo"',
  ],
  [
    "a field written twice",
    "parallelism: 4\nparallelism: 5\n",
    'strict decoding error: yaml: unmarshal errors:\n  line 4: key "parallelism" already set in map',
  ],
  [
    "a wrong type",
    "parallelism: many\n",
    "json: cannot unmarshal string into Go struct field KubeSchedulerConfiguration.parallelism of type int32",
  ],
  [
    "an unknown field of a plugin's arguments",
    plugin("NodeResourcesFit", "{ foo: 1 }"),
    "strict decoding error: decoding .profiles[0].pluginConfig[0]: strict decoding error: decoding args for plugin NodeResourcesFit: " +
      'strict decoding error: unknown field "foo"',
  ],
  [
    "arguments of another plugin",
    plugin("NodeResourcesFit", "{ kind: NodeAffinityArgs }"),
    "decoding .profiles[0].pluginConfig[0]: args for plugin NodeResourcesFit were not of type " +
      "NodeResourcesFitArgs.kubescheduler.config.k8s.io, got NodeAffinityArgs.kubescheduler.config.k8s.io",
  ],
  ["no parallelism", "parallelism: 0\n", "parallelism: Invalid value: 0: should be an integer value greater than zero"],
  [
    "several things",
    "podInitialBackoffSeconds: 5\npodMaxBackoffSeconds: 1\npercentageOfNodesToScore: 101\n",
    "[percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100], " +
      "podMaxBackoffSeconds: Invalid value: 1: must be greater than or equal to PodInitialBackoffSeconds]",
  ],
  ["profiles without names", "profiles: [{}, { schedulerName: a }]\n", "profiles[0].schedulerName: Required value"],
  [
    "profiles of one name",
    "profiles: [{ schedulerName: a }, { schedulerName: a }]\n",
    'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
  ],
  [
    "orders of their own",
    "profiles: [{ schedulerName: a }, { schedulerName: b, plugins: { queueSort: { disabled: [{ name: '*' }] } } }]\n",
    'profiles[1].plugins.queueSort: Invalid value: {"disabled":[{"name":"*"}]}: must be the same for all profiles',
  ],
  [
    "a plugin that v1 has removed",
    "profiles: [{ plugins: { filter: { enabled: [{ name: EBSLimits }] } } }]\n",
    'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version ' +
      '"kubescheduler.config.k8s.io/v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")',
  ],
  [
    "a plugin that is not there",
    "profiles: [{ plugins: { multiPoint: { enabled: [{ name: Mine }] } } }]\n",
    'initializing profiles: creating profile for scheduler name default-scheduler: PreEnqueuePlugin "Mine" does not exist',
  ],
  [
    "a plugin where it has no say",
    "profiles: [{ plugins: { score: { enabled: [{ name: NodeName }] } } }]\n",
    "initializing profiles: creating profile for scheduler name default-scheduler: " +
      'plugin "NodeName" does not extend ScorePlugin plugin',
  ],
  [
    "a plugin twice",
    "profiles: [{ plugins: { score: { enabled: [{ name: ImageLocality }, { name: ImageLocality }] } } }]\n",
    "initializing profiles: creating profile for scheduler name default-scheduler: " +
      'plugin "ImageLocality" already registered as "ScorePlugin"',
  ],
  [
    "no order",
    "profiles: [{ plugins: { queueSort: { disabled: [{ name: '*' }] } } }]\n",
    "initializing profiles: creating profile for scheduler name default-scheduler: " +
      'only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
  ],
  [
    "nobody who binds",
    "profiles: [{ plugins: { bind: { disabled: [{ name: DefaultBinder }] } } }]\n",
    "initializing profiles: creating profile for scheduler name default-scheduler: " +
      'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
  ],
  [
    "no candidates",
    plugin("DefaultPreemption", "{ minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 }"),
    `[${argsPath}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute, ` +
      `${argsPath}.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage]`,
  ],
  [
    "too much affinity",
    plugin("InterPodAffinity", "{ hardPodAffinityWeight: 101 }"),
    `${argsPath}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]`,
  ],
  [
    "a strategy that is none",
    plugin("NodeResourcesFit", "{ scoringStrategy: { type: Best, resources: [{ name: cpu, weight: 101 }] } }"),
    `[${argsPath}.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio", ` +
      `${argsPath}.scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]]`,
  ],
  [
    "a curve that goes back",
    plugin(
      "NodeResourcesFit",
      "{ scoringStrategy: { type: RequestedToCapacityRatio, requestedToCapacityRatio: { shape: [{ utilization: 50, score: 0 }, { utilization: 50, score: 11 }] } } }",
    ),
    `[${argsPath}.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 50: values must be sorted in increasing order, ` +
      `${argsPath}.scoringStrategy.requestedToCapacityRatio.shape[1].score: Invalid value: 11: not in valid range [0, 10]]`,
  ],
  [
    "weights of balance",
    plugin("NodeResourcesBalancedAllocation", "{ resources: [{ name: cpu, weight: 2 }, { name: cpu }] }"),
    `[${argsPath}.resources[0].weight: Invalid value: 2: must be 1, ${argsPath}.resources[1].name: Duplicate value: "cpu"]`,
  ],
  [
    "constraints beside the system's",
    plugin(
      "PodTopologySpread",
      "{ defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }] }",
    ),
    `${argsPath}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty`,
  ],
  [
    "constraints with selectors",
    plugin(
      "PodTopologySpread",
      "{ defaultingType: List, defaultConstraints: [{ maxSkew: 0, topologyKey: zone, whenUnsatisfiable: Never, labelSelector: {} }] }",
    ),
    `[${argsPath}.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf), ` +
      `${argsPath}.defaultConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway", ` +
      `${argsPath}.defaultConstraints[0].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod]`,
  ],
  [
    "a shape of volumes, which is off by default",
    plugin("VolumeBinding", "{ bindTimeoutSeconds: -1, shape: [{ utilization: 0, score: 0 }] }"),
    `[${argsPath}.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value, ` +
      `${argsPath}.shape: Invalid value: [{"utilization":0,"score":0}]: unexpected field \`shape\`, remove it or turn on the feature gate StorageCapacityScoring]`,
  ],
  [
    "too little time for devices",
    plugin("DynamicResources", "{ filterTimeout: -1s, bindingTimeout: 500ms }"),
    `[${argsPath}.filterTimeout: Invalid value: "-1s": must be zero or positive, ` +
      `${argsPath}.bindingTimeout: Invalid value: "500ms": must be at least 1 second]`,
  ],
  [
    "arguments twice",
    "profiles: [{ pluginConfig: [{ name: InterPodAffinity }, { name: InterPodAffinity }] }]\n",
    'profiles[0].pluginConfig[1]: Duplicate value: "InterPodAffinity"',
  ],
  [
    "an extender that scores without weight, and one that manages cpu",
    "extenders: [{ urlPrefix: http://a, prioritizeVerb: p }, { urlPrefix: http://b, managedResources: [{ name: cpu }] }]\n",
    "[extenders[0].weight: Invalid value: 0: must have a positive weight applied to it, " +
      'extenders[1].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name]',
  ],
  [
    "two that bind",
    "extenders: [{ urlPrefix: http://a, bindVerb: b }, { urlPrefix: http://b, bindVerb: b }]\n",
    'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
  ],
];

describe("a configuration that cannot be used", () => {
  for (const [what, text, expected] of refusals) {
    it(`${what}`, () => assert.equal(refusal(head + text), expected));
  }
  it("of another version, or of no kind", () => {
    assert.equal(
      refusal("apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration\n"),
      'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1beta3"',
    );
    assert.equal(refusal("{}"), "Object 'Kind' is missing in '{}'");
  });
});
