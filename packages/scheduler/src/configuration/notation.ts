import type { DefinitionNotation } from "@skiff/api";

const noted = (name: string, fields: DefinitionNotation["fields"], required: readonly string[] = []) =>
  [`kubescheduler.v1.${name}`, { name: `io.k8s.kube-scheduler.config.v1.${name}`, fields, required }] as const;

const set = "@kubescheduler.v1.PluginSet";

/**
 * The fields of `kubescheduler.config.k8s.io/v1`, in the notation of the API's own definitions.
 * https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
 */
export const notations: Readonly<Record<string, DefinitionNotation>> = Object.fromEntries([
  noted("KubeSchedulerConfiguration", {
    apiVersion: "string",
    kind: "string",
    parallelism: "int32",
    leaderElection: "@kubescheduler.v1.LeaderElectionConfiguration",
    clientConnection: "@kubescheduler.v1.ClientConnectionConfiguration",
    enableProfiling: "boolean",
    enableContentionProfiling: "boolean",
    percentageOfNodesToScore: "int32",
    podInitialBackoffSeconds: "int64",
    podMaxBackoffSeconds: "int64",
    profiles: "[]@kubescheduler.v1.KubeSchedulerProfile",
    extenders: "[]@kubescheduler.v1.Extender",
    delayCacheUntilActive: "boolean",
  }),
  noted("LeaderElectionConfiguration", {
    leaderElect: "boolean",
    leaseDuration: "string",
    renewDeadline: "string",
    retryPeriod: "string",
    resourceLock: "string",
    resourceName: "string",
    resourceNamespace: "string",
  }),
  noted("ClientConnectionConfiguration", {
    kubeconfig: "string",
    acceptContentTypes: "string",
    contentType: "string",
    qps: "number",
    burst: "int32",
  }),
  noted("KubeSchedulerProfile", {
    schedulerName: "string",
    percentageOfNodesToScore: "int32",
    plugins: "@kubescheduler.v1.Plugins",
    pluginConfig: "[]@kubescheduler.v1.PluginConfig",
  }),
  noted("Plugins", {
    preEnqueue: set,
    queueSort: set,
    preFilter: set,
    filter: set,
    postFilter: set,
    preScore: set,
    score: set,
    reserve: set,
    permit: set,
    preBind: set,
    bind: set,
    postBind: set,
    multiPoint: set,
  }),
  noted("PluginSet", { enabled: "[]@kubescheduler.v1.Plugin", disabled: "[]@kubescheduler.v1.Plugin" }),
  noted("Plugin", { name: "string", weight: "int32" }, ["name"]),
  noted("PluginConfig", { name: "string", args: "object" }, ["name"]),
  noted(
    "Extender",
    {
      urlPrefix: "string",
      filterVerb: "string",
      preemptVerb: "string",
      prioritizeVerb: "string",
      weight: "int64",
      bindVerb: "string",
      enableHTTPS: "boolean",
      tlsConfig: "@kubescheduler.v1.ExtenderTLSConfig",
      httpTimeout: "string",
      nodeCacheCapable: "boolean",
      managedResources: "[]@kubescheduler.v1.ExtenderManagedResource",
      ignorable: "boolean",
    },
    ["urlPrefix"],
  ),
  noted("ExtenderManagedResource", { name: "string", ignoredByScheduler: "boolean" }, ["name"]),
  noted("ExtenderTLSConfig", {
    insecure: "boolean",
    serverName: "string",
    certFile: "string",
    keyFile: "string",
    caFile: "string",
    certData: "bytes",
    keyData: "bytes",
    caData: "bytes",
  }),
  noted("DefaultPreemptionArgs", {
    apiVersion: "string",
    kind: "string",
    minCandidateNodesPercentage: "int32",
    minCandidateNodesAbsolute: "int32",
  }),
  noted("InterPodAffinityArgs", {
    apiVersion: "string",
    kind: "string",
    hardPodAffinityWeight: "int32",
    ignorePreferredTermsOfExistingPods: "boolean",
  }),
  noted("NodeAffinityArgs", { apiVersion: "string", kind: "string", addedAffinity: "@core.v1.NodeAffinity" }),
  noted("NodeResourcesBalancedAllocationArgs", {
    apiVersion: "string",
    kind: "string",
    resources: "[]@kubescheduler.v1.ResourceSpec",
  }),
  noted("NodeResourcesFitArgs", {
    apiVersion: "string",
    kind: "string",
    ignoredResources: "[]string",
    ignoredResourceGroups: "[]string",
    scoringStrategy: "@kubescheduler.v1.ScoringStrategy",
  }),
  noted("ScoringStrategy", {
    type: "string",
    resources: "[]@kubescheduler.v1.ResourceSpec",
    requestedToCapacityRatio: "@kubescheduler.v1.RequestedToCapacityRatioParam",
  }),
  noted("RequestedToCapacityRatioParam", { shape: "[]@kubescheduler.v1.UtilizationShapePoint" }),
  noted("UtilizationShapePoint", { utilization: "int32", score: "int32" }, ["utilization", "score"]),
  noted("ResourceSpec", { name: "string", weight: "int64" }, ["name"]),
  noted("PodTopologySpreadArgs", {
    apiVersion: "string",
    kind: "string",
    defaultConstraints: "[]@core.v1.TopologySpreadConstraint",
    defaultingType: "string",
  }),
  noted("VolumeBindingArgs", {
    apiVersion: "string",
    kind: "string",
    bindTimeoutSeconds: "int64",
    shape: "[]@kubescheduler.v1.UtilizationShapePoint",
  }),
  noted("DynamicResourcesArgs", {
    apiVersion: "string",
    kind: "string",
    filterTimeout: "string",
    bindingTimeout: "string",
  }),
]);
