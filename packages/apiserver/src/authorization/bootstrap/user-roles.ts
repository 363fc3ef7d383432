import type { PolicyRule } from "@skiff/api";
import { pathRule, read, readWrite, rule, write } from "./rule.ts";

/** A cluster role as data: its rules, or the label that its parts carry. */
export interface RoleData {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly labels?: Readonly<Record<string, string>>;
  /** `view`: the role is put together from those labelled `rbac.authorization.k8s.io/aggregate-to-view: "true"`. */
  readonly aggregates?: string;
}

const aggregateTo = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;

/** The label that makes a role a part of `role`. */
export const partOf = (role: string): Record<string, string> => ({ [aggregateTo(role)]: "true" });

const appsWrites =
  "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale";

const editRules: PolicyRule[] = [
  rule(read, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
  rule("impersonate", "", "serviceaccounts"),
  rule(write, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
  rule("create", "", "pods/eviction"),
  rule(
    write,
    "",
    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
  ),
  rule("create", "", "serviceaccounts/token"),
  rule(write, "apps", appsWrites),
  rule(write, "autoscaling", "horizontalpodautoscalers"),
  rule(write, "batch", "cronjobs jobs"),
  rule(
    write,
    "extensions",
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
  ),
  rule(write, "policy", "poddisruptionbudgets"),
  rule(write, "networking.k8s.io", "ingresses networkpolicies"),
  rule(readWrite, "coordination.k8s.io", "leases"),
  rule(write, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
];

const viewRules: PolicyRule[] = [
  rule(
    read,
    "",
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
  ),
  rule(
    read,
    "",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
  ),
  rule(read, "", "namespaces"),
  rule(read, "discovery.k8s.io", "endpointslices"),
  rule(
    read,
    "apps",
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
  ),
  rule(read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  rule(read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
  rule(
    read,
    "extensions",
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
  ),
  rule(read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  rule(read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
  rule(read, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
];

/** Roles that are meant for people. */
export const userRoles: readonly RoleData[] = [
  { name: "cluster-admin", rules: [rule("*", "*", "*"), pathRule("*", "*")] },
  { name: "admin", rules: [], aggregates: aggregateTo("admin") },
  { name: "edit", rules: [], aggregates: aggregateTo("edit"), labels: partOf("admin") },
  { name: "view", rules: [], aggregates: aggregateTo("view"), labels: partOf("edit") },
  {
    name: "system:aggregate-to-admin",
    labels: partOf("admin"),
    rules: [
      rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(readWrite, "rbac.authorization.k8s.io", "rolebindings roles"),
    ],
  },
  { name: "system:aggregate-to-edit", labels: partOf("edit"), rules: editRules },
  { name: "system:aggregate-to-view", labels: partOf("view"), rules: viewRules },
];
