import { defineResource } from "../../define-resource.ts";
import type { RoleBinding } from "../../generated/types/rbac-v1.ts";

/** `rolebindings.rbac.authorization.k8s.io`. */
export const RoleBindings = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
});
