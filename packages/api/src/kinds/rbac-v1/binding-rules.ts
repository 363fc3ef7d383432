import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { ClusterRoleBinding, RoleBinding, Subject } from "../../generated/types/rbac-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { type Findings, invalidFor } from "../../validation/checks.ts";
import { dnsSubdomainName, pathSegmentName } from "../../validation/names.ts";
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
  { title: "Role", value: ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}` },
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

/** Role and subjects of a binding. One outside namespaces names cluster roles only, and service accounts with theirs. */
export function* checkBinding(binding: Binding, { namespaced }: { readonly namespaced: boolean }): Findings {
  const { roleRef, subjects = [] } = binding;
  const { apiGroup = "", kind = "", name = "" } = roleRef ?? {};
  if (apiGroup !== group) yield fieldError.notSupported("roleRef.apiGroup", apiGroup, [group]);
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(kind)) yield fieldError.notSupported("roleRef.kind", kind, kinds);
  if (name === "") yield fieldError.required("roleRef.name");
  else yield* invalidFor("roleRef.name", name, pathSegmentName(name, false));
  for (const [index, subject] of subjects.entries()) yield* checkSubject(`subjects[${index}]`, subject, namespaced);
}

function* checkSubject(field: string, subject: Subject, namespaced: boolean): Findings {
  const { kind = "", name = "", namespace = "", apiGroup = "" } = subject;
  if (name === "") yield fieldError.required(`${field}.name`);
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") yield* invalidFor(`${field}.name`, name, dnsSubdomainName(name, false));
      if (apiGroup !== "") yield fieldError.notSupported(`${field}.apiGroup`, apiGroup, [""]);
      if (!namespaced && namespace === "") yield fieldError.required(`${field}.namespace`);
      return;
    case "User":
    case "Group":
      if (name === "") yield fieldError.invalid(`${field}.name`, name, `${kind.toLowerCase()} name cannot be empty`);
      if (apiGroup !== group) yield fieldError.notSupported(`${field}.apiGroup`, apiGroup, [group]);
      return;
    default:
      yield fieldError.notSupported(`${field}.kind`, kind, ["ServiceAccount", "User", "Group"]);
  }
}
