import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, ClusterRoleBinding } from "@skiff/api";
import { clusterMeta } from "../../fixtures/objects.ts";
import { planBinding, reconciledRole } from "./reconcile.ts";

const get = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
const list = { verbs: ["list"], apiGroups: [""], resources: ["pods"] };
const role = (change: Partial<ClusterRole>): ClusterRole => ({ metadata: clusterMeta("a"), rules: [get], ...change });
const kept = { annotations: { "rbac.authorization.kubernetes.io/autoupdate": "false" } };

test("default roles get back what they lack", () => {
  const metadata = { name: "a", labels: { x: "1" } };
  const expected = { metadata, rules: [get, list] };
  assert.deepEqual(reconciledRole(role({}), expected)?.rules, [get, list]);
  assert.deepEqual(reconciledRole(role({}), expected)?.metadata.labels, { x: "1" });
  const more = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };
  assert.deepEqual(reconciledRole(role({ rules: [more] }), expected)?.rules, [more], "what is more stays");
  assert.equal(reconciledRole(role({ metadata: { ...clusterMeta("a"), ...kept } }), expected), undefined);
  const selector = { matchLabels: { part: "yes" } };
  const aggregated = { metadata: { name: "a" }, aggregationRule: { clusterRoleSelectors: [selector] }, rules: [list] };
  const mended = reconciledRole(role({}), aggregated);
  assert.deepEqual([mended?.aggregationRule?.clusterRoleSelectors, mended?.rules], [[selector], [get]]);
});

test("default bindings get back whom they lack", () => {
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "a" };
  const group = (name: string) => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });
  const binding = (change: Partial<ClusterRoleBinding>): ClusterRoleBinding => ({
    metadata: clusterMeta("a"),
    roleRef,
    subjects: [group("mine")],
    ...change,
  });
  const expected = { metadata: { name: "a" }, roleRef, subjects: [group("theirs")] };
  const plan = planBinding(binding({}), expected);
  assert.ok(plan.kind === "update");
  assert.deepEqual(plan.binding.subjects, [group("mine"), group("theirs")]);
  assert.equal(planBinding(plan.binding, expected).kind, "keep");
  assert.equal(planBinding(binding({ roleRef: { ...roleRef, name: "b" } }), expected).kind, "replace");
  assert.equal(planBinding(binding({ metadata: { ...clusterMeta("a"), ...kept } }), expected).kind, "keep");
});
