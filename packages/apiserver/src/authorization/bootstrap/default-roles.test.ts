import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from "@skiff/api";
import type { UserInfo } from "../../contracts.ts";
import { fakeTable } from "../../fixtures/fake-table.ts";
import { clusterMeta, namespacedMeta } from "../../fixtures/objects.ts";
import type { Access } from "../access.ts";
import { RbacAuthorizer } from "../rbac-authorizer.ts";
import {
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapRoleBindings,
  bootstrapRoles,
} from "./bootstrap-objects.ts";

const named = (name: string) => ({ kind: "User", name });
/** Whoever is called as a role for people is bound to it in namespace `default`. */
const people = ["admin", "edit", "view"].map((name) => ({
  metadata: namespacedMeta(name),
  roleRef: { kind: "ClusterRole", name },
  subjects: [named(name)],
}));
const complete = <T extends { metadata: { name?: string | undefined; namespace?: string | undefined } }>(
  objects: readonly T[],
) =>
  objects.map((object) => {
    const { name = "", namespace } = object.metadata;
    const metadata = namespace === undefined ? clusterMeta(name) : namespacedMeta(name, namespace);
    return { ...object, metadata };
  });
const rbac = new RbacAuthorizer(
  fakeTable([
    [ClusterRoles, complete(bootstrapClusterRoles)],
    [ClusterRoleBindings, complete(bootstrapClusterRoleBindings)],
    [Roles, complete(bootstrapRoles)],
    [RoleBindings, [...complete(bootstrapRoleBindings), ...people]],
  ]),
);

const user = (name: string): UserInfo => {
  const account = /^controller (.+)$/.exec(name)?.[1];
  if (account !== undefined) return { name: `system:serviceaccount:kube-system:${account}`, groups: [] };
  const group = /^group (.+)$/.exec(name)?.[1];
  return group === undefined ? { name, groups: [] } : { name: "somebody", groups: [group] };
};

/** `get pods/log` in a namespace, `get /metrics` for paths; verbs may be several, with commas. */
function accesses(text: string, namespace: string): Access[] {
  const [verbs = "", what = "", name] = text.split(" ");
  const request = (verb: string): Access => {
    if (what.startsWith("/")) return { kind: "path", verb, path: what };
    const [resource = "", subresource] = what.split("/");
    const [plural = "", ...group] = resource.split(".");
    const place = { group: group.join("."), version: "v1", plural, namespace };
    return {
      kind: "resource",
      verb,
      ...place,
      ...(subresource === undefined ? {} : { subresource }),
      ...(name === undefined ? {} : { name }),
    };
  };
  return verbs.split(",").map(request);
}

const all = "get,list,watch,create,update,patch,delete,deletecollection";
const write = "create,update,patch,delete,deletecollection";

/** Who may (`+`) and may not (`-`) do what, in which namespace (empty: in the cluster). */
const cases: readonly (readonly [who: string, namespace: string, ...what: string[]])[] = [
  [
    "view",
    "default",
    "+get,list,watch pods",
    "+get pods/log",
    "-get secrets",
    `-${write} pods`,
    "-create pods/exec",
    "-get roles.rbac.authorization.k8s.io",
  ],
  [
    "view",
    "default",
    "+get endpointslices.discovery.k8s.io",
    "+get cronjobs.batch/status",
    "+list resourceclaims.resource.k8s.io",
  ],
  ["view", "other", "-get pods"],
  ["view", "", "-list nodes", "-list pods"],
  [
    "edit",
    "default",
    `+${all} secrets`,
    `+${write} deployments.apps`,
    "+create pods/exec",
    "+get pods/exec",
    "+create pods/eviction",
    "+impersonate serviceaccounts",
  ],
  [
    "edit",
    "default",
    "+create serviceaccounts/token",
    `-${write} resourcequotas`,
    `-${write} endpoints`,
    "-create roles.rbac.authorization.k8s.io",
    "-update pods/status",
  ],
  [
    "admin",
    "default",
    `+${all} roles.rbac.authorization.k8s.io`,
    `+${all} rolebindings.rbac.authorization.k8s.io`,
    "+create localsubjectaccessreviews.authorization.k8s.io",
  ],
  [
    "admin",
    "default",
    "-escalate roles.rbac.authorization.k8s.io",
    "-bind clusterroles.rbac.authorization.k8s.io",
    `-${write} resourcequotas`,
    "-update namespaces",
    "-get nodes",
  ],
  [
    "group system:masters",
    "",
    `+${all} anything.example.com`,
    "+get /metrics",
    "+escalate clusterroles.rbac.authorization.k8s.io",
  ],
  [
    "group system:authenticated",
    "",
    "+get /api",
    "+get /apis/apps/v1",
    "+get /openapi/v2",
    "+get /version",
    "-get /metrics",
    "-get /logs",
    "+create selfsubjectreviews.authentication.k8s.io",
  ],
  [
    "group system:authenticated",
    "",
    "+create selfsubjectrulesreviews.authorization.k8s.io",
    "-create subjectaccessreviews.authorization.k8s.io",
    "-create tokenreviews.authentication.k8s.io",
  ],
  [
    "group system:unauthenticated",
    "",
    "+get /version",
    "+get /healthz",
    "+get /livez",
    "+get /readyz",
    "-get /api",
    "-get /healthz/etcd",
    "-get /openapi/v2",
  ],
  [
    "group system:monitoring",
    "",
    "+get /metrics",
    "+get /metrics/slis",
    "+get /livez/etcd",
    "-get /debug/pprof",
    "-post /metrics",
  ],
  ["group system:serviceaccounts", "", "+get /.well-known/openid-configuration", "+get /openid/v1/jwks"],
  [
    "system:kube-scheduler",
    "default",
    "+create pods/binding",
    "+get,list,watch,delete pods",
    "+update pods/status",
    "+create,delete resourceclaims.resource.k8s.io",
    "-create pods",
    "-get secrets",
    "+list persistentvolumes",
  ],
  ["system:kube-scheduler", "", "+patch,update resourceclaims.resource.k8s.io/binding"],
  [
    "controller resource-claim-controller",
    "",
    "+patch,update resourceclaims.resource.k8s.io/binding",
    "-arbitrary-node:update resourceclaims.resource.k8s.io/driver",
  ],
  ["controller device-taint-eviction-controller", "", "-update resourceclaims.resource.k8s.io/binding"],
  ["edit", "default", "-update resourceclaims.resource.k8s.io/binding"],
  [
    "system:kube-scheduler",
    "kube-system",
    "+get configmaps extension-apiserver-authentication",
    "-get configmaps other",
    "+update leases.coordination.k8s.io",
  ],
  [
    "system:kube-controller-manager",
    "default",
    "+list,watch anything.example.com",
    "+create serviceaccounts/token",
    "+delete secrets",
    "-delete pods",
  ],
  [
    "system:kube-proxy",
    "",
    "+list,watch services",
    "+list,watch endpointslices.discovery.k8s.io",
    "+get nodes",
    "-list secrets",
  ],
  ["group system:nodes", "", "-get nodes", "-list pods"],
  [
    "controller deployment-controller",
    "default",
    "+create,delete,patch replicasets.apps",
    "+update deployments.apps/status",
    "-create pods",
  ],
  [
    "controller namespace-controller",
    "",
    "+get,list,watch,delete,deletecollection anything.example.com",
    "+update namespaces/finalize",
    "-create pods",
  ],
  [
    "controller generic-garbage-collector",
    "",
    "+get,list,watch,patch,update,delete anything.example.com",
    "-create pods",
    "-deletecollection pods",
  ],
  [
    "controller clusterrole-aggregation-controller",
    "",
    "+escalate,update,patch clusterroles.rbac.authorization.k8s.io",
    "-bind clusterroles.rbac.authorization.k8s.io",
  ],
  [
    "controller certificate-controller",
    "",
    "+approve signers.certificates.k8s.io kubernetes.io/kube-apiserver-client-kubelet",
    "-approve signers.certificates.k8s.io kubernetes.io/kubelet-serving",
  ],
  [
    "controller certificate-controller",
    "",
    "+sign signers.certificates.k8s.io kubernetes.io/kubelet-serving",
    "-sign signers.certificates.k8s.io example.com/x",
  ],
  [
    "controller node-controller",
    "",
    "+delete pods",
    "+patch nodes/status",
    "+create events",
    "+create events.events.k8s.io",
    "-get secrets",
  ],
  [
    "controller resourcequota-controller",
    "default",
    "+list,watch anything.example.com",
    "+update resourcequotas/status",
    "-update pods",
  ],
  [
    "controller bootstrap-signer",
    "kube-public",
    "+update configmaps cluster-info",
    "-update configmaps other",
    "+get configmaps other",
  ],
  ["controller token-cleaner", "kube-system", "+delete,get,list,watch secrets", "-create secrets"],
  [
    "controller horizontal-pod-autoscaler",
    "default",
    "+update deployments.apps/scale",
    "+list pods.metrics.k8s.io",
    "-update deployments.apps",
  ],
  ["controller nobody", "default", "-get pods"],
];

test("who may do what by default", () => {
  for (const [who, namespace, ...what] of cases) {
    for (const text of what) {
      for (const request of accesses(text.slice(1), namespace)) {
        const { kind } = rbac.authorize({ user: user(who), request });
        const expected = text.startsWith("+") ? "allowed" : "noOpinion";
        assert.equal(kind, expected, `${who} in ${JSON.stringify(namespace)}: ${text} (${request.verb})`);
      }
    }
  }
});

test("every default is marked as one, names a role that there is, and lists its rules in order", () => {
  const objects = [
    ...bootstrapClusterRoles,
    ...bootstrapClusterRoleBindings,
    ...bootstrapRoles,
    ...bootstrapRoleBindings,
  ];
  for (const { metadata } of objects) {
    assert.equal(metadata.labels?.["kubernetes.io/bootstrapping"], "rbac-defaults", metadata.name);
    assert.equal(metadata.annotations?.["rbac.authorization.kubernetes.io/autoupdate"], "true", metadata.name);
  }
  const clusterRoles = new Set(bootstrapClusterRoles.map(({ metadata }) => metadata.name));
  for (const { roleRef } of bootstrapClusterRoleBindings) assert.ok(clusterRoles.has(roleRef.name), roleRef.name);
  for (const { metadata, roleRef } of bootstrapRoleBindings) {
    const role = bootstrapRoles.find(
      (one) => one.metadata.name === roleRef.name && one.metadata.namespace === metadata.namespace,
    );
    assert.ok(role, `${metadata.namespace}/${roleRef.name}`);
  }
  for (const { rules = [] } of [...bootstrapClusterRoles, ...bootstrapRoles]) {
    for (const { verbs, apiGroups = [], resources = [] } of rules) {
      for (const list of [verbs, apiGroups, resources]) assert.deepEqual(list, [...list].sort());
    }
  }
});
