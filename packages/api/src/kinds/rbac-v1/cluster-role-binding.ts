import { defineResource } from "../../define-resource.ts";
import type { ClusterRoleBinding } from "../../generated/types/rbac-v1.ts";

/** `clusterrolebindings.rbac.authorization.k8s.io`. */
export const ClusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
});
