import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { ClusterRoleBinding, RoleBinding } from "../../generated/types/rbac-v1.ts";
import type { Column } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";

type Binding = RoleBinding | ClusterRoleBinding;

const group = "rbac.authorization.k8s.io";

/** Fills in the groups of role and subjects. */
export function defaultBinding({ roleRef, subjects }: Binding): void {
  if (roleRef) roleRef.apiGroup ||= group;
  for (const subject of subjects ?? []) if (subject.kind !== "ServiceAccount") subject.apiGroup ||= group;
}

const named = ({ subjects = [] }: Binding, kind: string): string =>
  subjects
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

/** What `kubectl get rolebindings` prints, and the same for cluster role bindings. */
export const bindingColumns: readonly Column<Binding>[] = [
  { title: "Role", value: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  age,
  { title: "Users", priority: 1, value: (binding) => named(binding, "User") },
  { title: "Groups", priority: 1, value: (binding) => named(binding, "Group") },
  { title: "ServiceAccounts", priority: 1, value: (binding) => named(binding, "ServiceAccount") },
];

/** A binding stays with its role. */
export function* checkRoleRefUpdate(binding: Binding, old: Binding): Findings {
  if (!jsonEqual(binding.roleRef, old.roleRef)) {
    yield fieldError.invalid("roleRef", binding.roleRef, "cannot change roleRef");
  }
}
