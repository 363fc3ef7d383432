import { defineResource } from "../../define-resource.ts";
import type { Role } from "../../generated/types/rbac-v1.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { checkRules } from "./role-rules.ts";

/** `roles.rbac.authorization.k8s.io`. */
export const Roles = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  validateName: pathSegmentName,
  validate: (role) => [...checkRules(role, { namespaced: true })],
});
