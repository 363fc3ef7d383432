import type { ClusterRole, ClusterRoleBinding, New, PolicyRule, Role, RoleBinding, Subject } from "@skiff/api";
import { componentRoles } from "./component-roles.ts";
import { controllerRules } from "./controller-roles.ts";
import { eventsRule, read, rule } from "./rule.ts";
import { type RoleData, userRoles } from "./user-roles.ts";

const rbacGroup = "rbac.authorization.k8s.io";
const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

const group = (name: string): Subject => ({ apiGroup: rbacGroup, kind: "Group", name });
const user = (name: string): Subject => ({ apiGroup: rbacGroup, kind: "User", name });
const account = (name: string): Subject => ({ kind: "ServiceAccount", name, namespace: "kube-system" });

const controllers: readonly RoleData[] = Object.entries(controllerRules).map(([name, rules]) => ({
  name: `system:controller:${name}`,
  rules,
}));

const roles: readonly RoleData[] = [...userRoles, ...componentRoles, ...controllers];

/** The rules of a role that is put together from others: a cluster needs no controller to start with them. */
function rulesOf({ rules, aggregates }: RoleData): PolicyRule[] {
  if (aggregates === undefined) return [...rules];
  const parts = roles.filter((role) => role.labels?.[aggregates] === "true");
  return parts.flatMap(rulesOf);
}

/** Kubernetes' default cluster roles. */
export const bootstrapClusterRoles: readonly New<ClusterRole>[] = roles.map((role) => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: "ClusterRole",
  metadata: { name: role.name, labels: { ...labels, ...role.labels }, annotations },
  ...(role.aggregates === undefined
    ? {}
    : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [role.aggregates]: "true" } }] } }),
  rules: rulesOf(role),
}));

const bindings: readonly (readonly [role: string, subjects: readonly Subject[]])[] = [
  ["cluster-admin", [group("system:masters")]],
  ["system:monitoring", [group("system:monitoring")]],
  ["system:discovery", [group("system:authenticated")]],
  ["system:basic-user", [group("system:authenticated")]],
  ["system:public-info-viewer", [group("system:authenticated"), group("system:unauthenticated")]],
  ["system:service-account-issuer-discovery", [group("system:serviceaccounts")]],
  ["system:node-proxier", [user("system:kube-proxy")]],
  ["system:kube-controller-manager", [user("system:kube-controller-manager")]],
  ["system:kube-dns", [account("kube-dns")]],
  ["system:kube-scheduler", [user("system:kube-scheduler")]],
  ["system:volume-scheduler", [user("system:kube-scheduler")]],
  // Kubelets get their rights from the node authorizer: the binding is there, and empty.
  ["system:node", []],
  ...Object.keys(controllerRules).map((name): [string, Subject[]] => [`system:controller:${name}`, [account(name)]]),
];

/** Kubernetes' default cluster role bindings. */
export const bootstrapClusterRoleBindings: readonly New<ClusterRoleBinding>[] = bindings.map(([name, subjects]) => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: "ClusterRoleBinding",
  metadata: { name, labels, annotations },
  roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name },
  ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
}));

interface NamespacedRole {
  readonly name: string;
  readonly namespace: string;
  readonly rules: readonly PolicyRule[];
  readonly subjects: readonly Subject[];
}

const leaderLease = [
  rule("create get list update watch", "coordination.k8s.io", "leases"),
  rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
];

const namespacedRoles: readonly NamespacedRole[] = [
  {
    name: "extension-apiserver-authentication-reader",
    namespace: "kube-system",
    rules: [rule(read, "", "configmaps", "extension-apiserver-authentication")],
    subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler")],
  },
  {
    name: "system::leader-locking-kube-controller-manager",
    namespace: "kube-system",
    rules: leaderLease,
    subjects: [user("system:kube-controller-manager"), account("kube-controller-manager")],
  },
  {
    name: "system::leader-locking-kube-scheduler",
    namespace: "kube-system",
    rules: leaderLease,
    subjects: [user("system:kube-scheduler"), account("kube-scheduler")],
  },
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-system",
    rules: [rule(read, "", "secrets")],
    subjects: [account("bootstrap-signer")],
  },
  {
    name: "system:controller:cloud-provider",
    namespace: "kube-system",
    rules: [rule("create get list watch", "", "configmaps")],
    subjects: [account("cloud-provider")],
  },
  {
    name: "system:controller:token-cleaner",
    namespace: "kube-system",
    rules: [rule("delete get list watch", "", "secrets"), eventsRule],
    subjects: [account("token-cleaner")],
  },
  {
    name: "system:controller:bootstrap-signer",
    namespace: "kube-public",
    rules: [rule(read, "", "configmaps"), rule("update", "", "configmaps", "cluster-info"), eventsRule],
    subjects: [account("bootstrap-signer")],
  },
];

/** Kubernetes' default roles in kube-system and kube-public. */
export const bootstrapRoles: readonly New<Role>[] = namespacedRoles.map(({ name, namespace, rules }) => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: "Role",
  metadata: { name, namespace, labels, annotations },
  rules: [...rules],
}));

/** Kubernetes' default role bindings in kube-system and kube-public. */
export const bootstrapRoleBindings: readonly New<RoleBinding>[] = namespacedRoles.map(
  ({ name, namespace, subjects }) => ({
    apiVersion: `${rbacGroup}/v1`,
    kind: "RoleBinding",
    metadata: { name, namespace, labels, annotations },
    roleRef: { apiGroup: rbacGroup, kind: "Role", name },
    subjects: [...subjects],
  }),
);
