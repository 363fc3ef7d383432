/**
 * What a default role or binding that is there already lacks. Kubernetes mends its defaults at every start, adding and never
 * taking away, unless they say `rbac.authorization.kubernetes.io/autoupdate: "false"`.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
import type { ClusterRole, ClusterRoleBinding, New, Role, RoleBinding, Subject } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { uncovered } from "../rule-coverage.ts";

const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

type AnyRole = ClusterRole | Role;
type AnyBinding = ClusterRoleBinding | RoleBinding;
type Expected<T> = New<ClusterRole> | New<Role> | New<ClusterRoleBinding> | New<RoleBinding> | T;

const isProtected = ({ metadata }: AnyRole | AnyBinding): boolean => metadata.annotations?.[autoUpdate] === "false";

/** Labels and annotations with those that are missing. What is there stays. */
function metadataOf<T extends AnyRole | AnyBinding>(existing: T, { metadata }: Expected<T>): T["metadata"] {
  return {
    ...existing.metadata,
    labels: { ...metadata.labels, ...existing.metadata.labels },
    annotations: { ...metadata.annotations, ...existing.metadata.annotations },
  };
}

/** The role with what it lacks; `undefined` where it lacks nothing or is left alone. */
export function reconciledRole<T extends AnyRole>(existing: T, expected: New<ClusterRole> | New<Role>): T | undefined {
  if (isProtected(existing)) return undefined;
  const metadata = metadataOf(existing, expected);
  const selectors = "aggregationRule" in expected ? (expected.aggregationRule?.clusterRoleSelectors ?? []) : [];
  const aggregates = selectors.length > 0;
  // The rules of an aggregated role are its parts'.
  const rules = aggregates ? [] : uncovered(existing.rules ?? [], expected.rules ?? []);
  const known = "aggregationRule" in existing ? (existing.aggregationRule?.clusterRoleSelectors ?? []) : [];
  const missing = selectors.filter((selector) => !known.some((one) => jsonEqual(one, selector)));
  const changed = {
    ...existing,
    metadata,
    ...(rules.length === 0 ? {} : { rules: [...(existing.rules ?? []), ...rules] }),
    ...(missing.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: [...known, ...missing] } }),
  };
  return jsonEqual(changed, existing) ? undefined : changed;
}

/** What is to happen to a binding. One of another role cannot be changed: it is made anew. */
export type BindingPlan<T> =
  | { readonly kind: "keep" }
  | { readonly kind: "update"; readonly binding: T }
  | { readonly kind: "replace" };

/** See `BindingPlan`. */
export function planBinding<T extends AnyBinding>(
  existing: T,
  expected: New<ClusterRoleBinding> | New<RoleBinding>,
): BindingPlan<T> {
  if (isProtected(existing)) return { kind: "keep" };
  if (!jsonEqual(existing.roleRef, expected.roleRef)) return { kind: "replace" };
  const known = existing.subjects ?? [];
  const missing = (expected.subjects ?? []).filter((subject) => !known.some((one) => sameSubject(one, subject)));
  const binding = {
    ...existing,
    metadata: metadataOf(existing, expected),
    ...(missing.length === 0 ? {} : { subjects: [...known, ...missing] }),
  };
  return jsonEqual(binding, existing) ? { kind: "keep" } : { kind: "update", binding };
}

const sameSubject = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");
