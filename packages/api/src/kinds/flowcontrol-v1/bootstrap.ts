import type {
  FlowSchemaSpec,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from "../../generated/types/flowcontrol-v1.ts";

/** The spec of an object that every cluster has. */
export interface Bootstrapped<Spec> {
  readonly name: string;
  /** Mandatory objects are always what they are here; suggested ones are kept until somebody takes them over. */
  readonly mandatory: boolean;
  readonly spec: Spec;
}

const everything: ResourcePolicyRule = {
  verbs: ["*"],
  apiGroups: ["*"],
  resources: ["*"],
  clusterScope: true,
  namespaces: ["*"],
};

const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const user = (name: string): Subject => ({ kind: "User", user: { name } });
const systemAccount = (name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name },
});

const everybody = [group("system:unauthenticated"), group("system:authenticated")];

/** Rules for all that the subjects ask for. */
const all = (...subjects: Subject[]): FlowSchemaSpec["rules"] => [
  { subjects, resourceRules: [everything], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] },
];

const only = (subjects: Subject[], ...resourceRules: ResourcePolicyRule[]): FlowSchemaSpec["rules"] => [
  { subjects, resourceRules },
];

const leases = (verbs: string[]): ResourcePolicyRule => ({
  verbs,
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
});

const writing = ["get", "create", "update"];

interface Schema {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  readonly by?: "ByUser" | "ByNamespace";
  readonly rules: FlowSchemaSpec["rules"];
}

const mandatorySchemas: readonly Schema[] = [
  { name: "exempt", level: "exempt", precedence: 1, rules: all(group("system:masters")) },
  { name: "catch-all", level: "catch-all", precedence: 10_000, by: "ByUser", rules: all(...everybody) },
];

const suggestedSchemas: readonly Schema[] = [
  {
    name: "probes",
    level: "exempt",
    precedence: 2,
    rules: [
      {
        subjects: everybody,
        nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
      },
    ],
  },
  {
    name: "system-leader-election",
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    rules: only(
      [user("system:kube-controller-manager"), user("system:kube-scheduler"), systemAccount("*")],
      leases(writing),
    ),
  },
  {
    name: "endpoint-controller",
    level: "workload-high",
    precedence: 150,
    by: "ByUser",
    rules: only(
      [
        user("system:kube-controller-manager"),
        systemAccount("endpoint-controller"),
        systemAccount("endpointslicemirroring-controller"),
      ],
      { verbs: writing, apiGroups: [""], resources: ["endpoints"], namespaces: ["*"] },
    ),
  },
  {
    name: "workload-leader-election",
    level: "leader-election",
    precedence: 200,
    by: "ByUser",
    rules: only([systemAccount("*")], leases(writing)),
  },
  {
    name: "system-node-high",
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    rules: only(
      [group("system:nodes")],
      {
        verbs: ["*"],
        apiGroups: [""],
        resources: ["nodes", "nodes/status"],
        clusterScope: true,
        namespaces: ["*"],
      },
      leases(["*"]),
    ),
  },
  { name: "system-nodes", level: "system", precedence: 500, by: "ByUser", rules: all(group("system:nodes")) },
  {
    name: "kube-controller-manager",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    rules: all(user("system:kube-controller-manager")),
  },
  {
    name: "kube-scheduler",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    rules: all(user("system:kube-scheduler")),
  },
  {
    name: "kube-system-service-accounts",
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    rules: all(systemAccount("*")),
  },
  {
    name: "service-accounts",
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    rules: all(group("system:serviceaccounts")),
  },
  { name: "global-default", level: "global-default", precedence: 9900, by: "ByUser", rules: all(...everybody) },
];

const schemasOf = (schemas: readonly Schema[], mandatory: boolean): readonly Bootstrapped<FlowSchemaSpec>[] =>
  schemas.map(({ name, level, precedence, by, rules }) => ({
    name,
    mandatory,
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      rules,
    },
  }));

/** The FlowSchemas that every cluster has. */
export const bootstrapFlowSchemas: readonly Bootstrapped<FlowSchemaSpec>[] = [
  ...schemasOf(mandatorySchemas, true),
  ...schemasOf(suggestedSchemas, false),
];

const queues = (count: number, handSize: number): LimitedPriorityLevelConfiguration["limitResponse"] => ({
  type: "Queue",
  queuing: { queues: count, handSize, queueLengthLimit: 50 },
});

type Response = LimitedPriorityLevelConfiguration["limitResponse"];

const level = (
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  limitResponse: Response,
): Bootstrapped<PriorityLevelConfigurationSpec> => ({
  name,
  mandatory: name === "catch-all",
  spec: { type: "Limited", limited: { nominalConcurrencyShares, lendablePercent, limitResponse } },
});

/** The PriorityLevelConfigurations that every cluster has. */
export const bootstrapPriorityLevels: readonly Bootstrapped<PriorityLevelConfigurationSpec>[] = [
  {
    name: "exempt",
    mandatory: true,
    spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  level("catch-all", 5, 0, { type: "Reject" }),
  level("system", 30, 33, queues(64, 6)),
  level("node-high", 40, 25, queues(64, 6)),
  level("leader-election", 10, 0, queues(16, 4)),
  level("workload-high", 40, 50, queues(128, 6)),
  level("workload-low", 100, 90, queues(128, 6)),
  level("global-default", 20, 50, queues(128, 6)),
];
