import { defineResource } from "../../define-resource.ts";
import type { ClusterRole } from "../../generated/types/rbac-v1.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { checkAggregation, checkRules } from "./role-rules.ts";

/** `clusterroles.rbac.authorization.k8s.io`. */
export const ClusterRoles = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  validateName: pathSegmentName,
  validate: (role) => [...checkRules(role, { namespaced: false }), ...checkAggregation(role)],
});
