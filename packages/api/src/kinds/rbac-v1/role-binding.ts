import { defineResource } from "../../define-resource.ts";
import type { RoleBinding } from "../../generated/types/rbac-v1.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { bindingColumns, checkBinding, checkRoleRefUpdate, defaultBinding } from "./binding-rules.ts";

/** `rolebindings.rbac.authorization.k8s.io`. */
export const RoleBindings = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  validateName: pathSegmentName,
  columns: bindingColumns,
  defaults: defaultBinding,
  validate: (binding) => [...checkBinding(binding, { namespaced: true })],
  validateUpdate: (binding, old) => [...checkRoleRefUpdate(binding, old)],
});
