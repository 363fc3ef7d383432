import { defineResource } from "../../define-resource.ts";
import type { ClusterRoleBinding } from "../../generated/types/rbac-v1.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { bindingColumns, checkBinding, checkRoleRefUpdate, defaultBinding } from "./binding-rules.ts";

/** `clusterrolebindings.rbac.authorization.k8s.io`. */
export const ClusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  validateName: pathSegmentName,
  columns: bindingColumns,
  defaults: defaultBinding,
  validate: (binding) => [...checkBinding(binding, { namespaced: false })],
  validateUpdate: (binding, old) => [...checkRoleRefUpdate(binding, old)],
});
