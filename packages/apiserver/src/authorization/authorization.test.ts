import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from "@skiff/api";
import type { UserInfo } from "../contracts.ts";
import { fakeTable } from "../fixtures/fake-table.ts";
import { alice, clusterMeta, namespacedMeta } from "../fixtures/objects.ts";
import { type Access, forbidden } from "./access.ts";
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from "./bootstrap/bootstrap-objects.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import { ruleAllows } from "./rules.ts";
import { mastersAuthorizer, UnionAuthorizer } from "./union-authorizer.ts";

/** `list pods in default`, `get deployments.apps/scale in x named y`. */
const resource = (verb: string, plural: string, rest: Partial<Extract<Access, { kind: "resource" }>> = {}): Access => ({
  kind: "resource",
  verb,
  group: "",
  version: "v1",
  plural,
  ...rest,
});

test("rules", () => {
  const cases: readonly (readonly [Parameters<typeof ruleAllows>[0], Access, boolean])[] = [
    [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, resource("get", "pods", { subresource: "log" }), true],
    [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, resource("get", "pods"), true],
    [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, resource("get", "pods", { subresource: "log" }), false],
    [
      { verbs: ["get"], apiGroups: [""], resources: ["pods/log"] },
      resource("get", "pods", { subresource: "log" }),
      true,
    ],
    [
      { verbs: ["get"], apiGroups: ["*"], resources: ["*/scale"] },
      resource("get", "x", { subresource: "scale" }),
      true,
    ],
    [{ verbs: ["get"], apiGroups: ["*"], resources: ["*/scale"] }, resource("get", "x"), false],
    [{ verbs: ["get"], apiGroups: ["apps"], resources: ["pods"] }, resource("get", "pods"), false],
    [
      { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
      resource("get", "pods", { name: "a" }),
      true,
    ],
    [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] }, resource("get", "pods"), false],
    [{ verbs: ["get"], nonResourceURLs: ["/healthz/*"] }, { kind: "path", verb: "get", path: "/healthz/etcd" }, true],
    [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }, { kind: "path", verb: "get", path: "/healthz/etcd" }, false],
    [{ verbs: ["get"], nonResourceURLs: ["*"] }, { kind: "path", verb: "post", path: "/x" }, false],
    [{ verbs: ["get"], apiGroups: ["*"], resources: ["*"] }, { kind: "path", verb: "get", path: "/x" }, false],
  ];
  for (const [rule, access, allowed] of cases) {
    assert.equal(ruleAllows(rule, access), allowed, `${JSON.stringify(rule)} ${JSON.stringify(access)}`);
  }
});

const subject = (kind: string, name: string, namespace?: string) => ({
  kind,
  name,
  ...(namespace ? { namespace } : {}),
});
const table = fakeTable([
  [
    ClusterRoles,
    [
      { metadata: clusterMeta("reader"), rules: [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] }] },
      {
        metadata: clusterMeta("sum"),
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: "yes" } }] },
        rules: [{ verbs: ["create"], apiGroups: ["apps"], resources: ["deployments"] }],
      },
    ],
  ],
  [
    ClusterRoleBindings,
    [
      {
        metadata: clusterMeta("readers"),
        roleRef: { kind: "ClusterRole", name: "reader" },
        subjects: [subject("Group", "readers")],
      },
      {
        metadata: clusterMeta("summed"),
        roleRef: { kind: "ClusterRole", name: "sum" },
        subjects: [subject("User", "bob")],
      },
      {
        metadata: clusterMeta("dangling"),
        roleRef: { kind: "ClusterRole", name: "gone" },
        subjects: [subject("User", "carol")],
      },
    ],
  ],
  [
    Roles,
    [
      {
        metadata: namespacedMeta("writer", "dev"),
        rules: [{ verbs: ["create"], apiGroups: [""], resources: ["pods"] }],
      },
    ],
  ],
  [
    RoleBindings,
    [
      {
        metadata: namespacedMeta("writers", "dev"),
        roleRef: { kind: "Role", name: "writer" },
        subjects: [subject("ServiceAccount", "robot", "ci")],
      },
    ],
  ],
]);

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups });

test("bindings", () => {
  const rbac = new RbacAuthorizer(table);
  const robot = user("system:serviceaccount:ci:robot");
  const cases: readonly (readonly [UserInfo, Access, string, string])[] = [
    [
      user("x", "readers"),
      resource("list", "pods"),
      "allowed",
      'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "readers"',
    ],
    [user("x", "readers"), resource("create", "pods"), "noOpinion", ""],
    [
      user("bob"),
      resource("create", "deployments", { group: "apps" }),
      "allowed",
      'RBAC: allowed by ClusterRoleBinding "summed" of ClusterRole "sum" to User "bob"',
    ],
    [
      robot,
      resource("create", "pods", { namespace: "dev" }),
      "allowed",
      'RBAC: allowed by RoleBinding "writers/dev" of Role "writer" to ServiceAccount "robot/ci"',
    ],
    [robot, resource("create", "pods", { namespace: "prod" }), "noOpinion", ""],
    [
      user("carol"),
      resource("get", "pods"),
      "noOpinion",
      'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
    ],
  ];
  for (const [who, request, kind, reason] of cases) {
    assert.deepEqual(rbac.authorize({ user: who, request }), { kind, reason });
  }
});

test("a changed role counts at once", async () => {
  const rbac = new RbacAuthorizer(table);
  const request = resource("delete", "pods");
  const who = user("x", "readers");
  assert.equal(rbac.authorize({ user: who, request }).kind, "noOpinion");
  const context = { user: alice, fieldManager: "", dryRun: false, fieldValidation: "Warn", warn() {} } as const;
  const rules = [{ verbs: ["*"], apiGroups: [""], resources: ["pods"] }];
  await table.of(ClusterRoles).modify({ name: "reader" }, (role) => ({ ...role, rules }), context);
  assert.equal(rbac.authorize({ user: who, request }).kind, "allowed");
});

test("refusals in Kubernetes' words", () => {
  const cases: readonly (readonly [Access, string, string, object])[] = [
    [
      resource("list", "pods", { namespace: "default" }),
      "",
      'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"',
      { kind: "pods" },
    ],
    [
      resource("list", "nodes"),
      "",
      'nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope',
      { kind: "nodes" },
    ],
    [
      resource("update", "deployments", { group: "apps", namespace: "x", name: "web", subresource: "scale" }),
      "why",
      'deployments.apps "web" is forbidden: User "alice" cannot update resource "deployments/scale" in API group "apps" in the namespace "x": why',
      { name: "web", group: "apps", kind: "deployments" },
    ],
    [{ kind: "path", verb: "get", path: "/metrics" }, "", 'forbidden: User "alice" cannot get path "/metrics"', {}],
  ];
  for (const [request, reason, message, details] of cases) {
    const error = forbidden({ user: alice, request }, reason);
    assert.deepEqual(
      [error.code, error.reason, error.message, error.status.details],
      [403, "Forbidden", message, details],
    );
  }
});

test("the default roles", async () => {
  const rbac = new RbacAuthorizer(
    fakeTable([
      [ClusterRoles, bootstrapClusterRoles],
      [ClusterRoleBindings, bootstrapClusterRoleBindings],
    ]),
  );
  const union = new UnionAuthorizer([mastersAuthorizer, rbac]);
  const allows = async (who: UserInfo, request: Access) =>
    (await union.authorize({ user: who, request })).kind === "allowed";
  assert.ok(await allows(user("root", "system:masters"), resource("escalate", "anything", { group: "any" })));
  assert.ok(await allows(user("x", "system:unauthenticated"), { kind: "path", verb: "get", path: "/version" }));
  assert.ok(!(await allows(user("x", "system:unauthenticated"), { kind: "path", verb: "get", path: "/api" })));
  assert.ok(await allows(user("x", "system:authenticated"), { kind: "path", verb: "get", path: "/openapi/v3/api/v1" }));
  assert.ok(await allows(alice, resource("create", "selfsubjectaccessreviews", { group: "authorization.k8s.io" })));
  assert.ok(!(await allows(alice, resource("list", "pods"))));
  assert.ok(await allows(user("system:kube-scheduler"), resource("create", "pods", { subresource: "binding" })));
  const admin = bootstrapClusterRoles.find(({ metadata }) => metadata.name === "admin");
  assert.ok(admin?.rules?.some((rule) => ruleAllows(rule, resource("get", "pods", { subresource: "log" }))));
});
