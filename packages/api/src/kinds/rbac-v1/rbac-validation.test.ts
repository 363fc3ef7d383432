import assert from "node:assert/strict";
import { test } from "node:test";
import { type FieldError, fieldErrorText } from "../../field-error.ts";
import type { ClusterRoleBinding, PolicyRule, RoleBinding, Subject } from "../../generated/types/rbac-v1.ts";
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from "../definitions.ts";
import { sampleMeta } from "../sample-objects.ts";

const metadata = sampleMeta("a");
const group = "rbac.authorization.k8s.io";
const supported = `supported values: "${group}"`;
const texts = (found: readonly FieldError[]) => found.map(fieldErrorText);

test("rules", () => {
  const cases: readonly (readonly [rule: PolicyRule, inRole: readonly string[], inClusterRole: readonly string[]])[] = [
    [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] }, [], []],
    [
      { verbs: [] },
      [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
      ],
      [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
      ],
    ],
    [
      { verbs: ["get"], nonResourceURLs: ["/x"] },
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
      [],
    ],
    [
      { verbs: ["get"], nonResourceURLs: ["/x"], resources: ["pods"] },
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
    ],
  ];
  for (const [rule, inRole, inClusterRole] of cases) {
    assert.deepEqual(texts(Roles.validate({ metadata, rules: [rule] })), inRole);
    assert.deepEqual(texts(ClusterRoles.validate({ metadata, rules: [rule] })), inClusterRole);
  }
  assert.deepEqual(texts(ClusterRoles.validate({ metadata, aggregationRule: {} })), [
    "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
  ]);
});

test("bindings", () => {
  const roleRef = { apiGroup: group, kind: "ClusterRole", name: "view" };
  const binding = (change: Partial<RoleBinding & ClusterRoleBinding>) => ({ metadata, roleRef, ...change });
  const inRef = { apiGroup: "x", kind: "Thing", name: "" };
  assert.deepEqual(texts(RoleBindings.validate(binding({ roleRef: inRef }))), [
    `roleRef.apiGroup: Unsupported value: "x": ${supported}`,
    'roleRef.kind: Unsupported value: "Thing": supported values: "Role", "ClusterRole"',
    "roleRef.name: Required value",
  ]);
  assert.deepEqual(texts(ClusterRoleBindings.validate(binding({ roleRef: { ...roleRef, kind: "Role" } }))), [
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ]);
  const subjects: readonly (readonly [subject: Subject, found: readonly string[]])[] = [
    [{ kind: "User", apiGroup: group, name: "alice" }, []],
    [{ kind: "ServiceAccount", name: "a", namespace: "b" }, []],
    [{ kind: "ServiceAccount", name: "a" }, ["subjects[0].namespace: Required value"]],
    [
      { kind: "ServiceAccount", name: "a", namespace: "b", apiGroup: group },
      [`subjects[0].apiGroup: Unsupported value: "${group}": supported values: ""`],
    ],
    [
      { kind: "User", name: "" },
      [
        "subjects[0].name: Required value",
        'subjects[0].name: Invalid value: "": user name cannot be empty',
        `subjects[0].apiGroup: Unsupported value: "": ${supported}`,
      ],
    ],
    [
      { kind: "Robot", name: "r" },
      ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
    ],
  ];
  for (const [subject, found] of subjects) {
    assert.deepEqual(texts(ClusterRoleBindings.validate(binding({ subjects: [subject] }))), found);
  }
});
