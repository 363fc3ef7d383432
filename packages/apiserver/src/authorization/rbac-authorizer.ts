import {
  type ClusterRoleBinding,
  type PolicyRule,
  type RoleBinding,
  type RoleRef,
  refusals,
  type Subject,
} from "@skiff/api";
import type { Decision, ResourceTable, UserInfo } from "../contracts.ts";
import type { AccessAuthorizer, AccessRequest } from "./access.ts";
import { type Grant, RoleIndex } from "./role-index.ts";
import { ruleAllows } from "./rules.ts";

/** All that RBAC lets a user do in a namespace, for `SelfSubjectRulesReview`. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Bindings whose roles are missing, in Kubernetes' words. */
  readonly errors: readonly string[];
}

/** Roles and bindings as the API holds them: allows what a rule allows, has no opinion on the rest. */
export class RbacAuthorizer implements AccessAuthorizer {
  readonly #index: RoleIndex;

  constructor(table: ResourceTable) {
    this.#index = new RoleIndex(table);
  }

  authorize({ user, request }: AccessRequest): Decision {
    const errors: string[] = [];
    const namespace = request.kind === "resource" ? (request.namespace ?? "") : "";
    for (const grant of this.#grants(user, namespace)) {
      const rules = this.#rulesOf(grant.binding);
      if (rules === undefined) errors.push(missing(grant.binding.roleRef));
      else if (rules.some((rule) => ruleAllows(rule, request))) {
        return { kind: "allowed", reason: `RBAC: allowed by ${described(grant)}` };
      }
    }
    return { kind: "noOpinion", reason: errors.length === 0 ? "" : `RBAC: ${listed(errors)}` };
  }

  /** What the user may do in a namespace (and, with the empty one, in the cluster). */
  rulesFor(user: UserInfo, namespace: string): UserRules {
    const errors: string[] = [];
    const rules: PolicyRule[] = [];
    for (const { binding } of this.#grants(user, namespace)) {
      const given = this.#rulesOf(binding);
      if (given === undefined) errors.push(missing(binding.roleRef));
      else rules.push(...given);
    }
    return { rules, errors };
  }

  /** The rules that a reference (from a binding in `namespace`) stands for. Throws 404 for roles that there are not. */
  rulesOf(roleRef: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    const rules = this.#index.rules(roleRef, namespace);
    if (rules !== undefined) return rules;
    const kind = roleRef.kind === "Role" ? "roles" : "clusterroles";
    throw refusals.notFound({ group: "rbac.authorization.k8s.io", kind, name: roleRef.name });
  }

  #rulesOf({ roleRef, metadata }: ClusterRoleBinding | RoleBinding): readonly PolicyRule[] | undefined {
    return this.#index.rules(roleRef, metadata.namespace);
  }

  #grants(user: UserInfo, namespace: string): readonly Grant[] {
    const cluster = this.#index.clusterGrants(user);
    return namespace === "" ? cluster : [...cluster, ...this.#index.grants(user, namespace)];
  }
}

const listed = (errors: readonly string[]): string => {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? `${unique[0]}` : `[${unique.join(", ")}]`;
};

const missing = (roleRef: RoleRef): string =>
  roleRef.kind === "Role"
    ? `role.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`
    : `clusterrole.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`;

function described({ binding, subject }: Grant): string {
  const { roleRef, metadata } = binding;
  const { namespace } = metadata;
  const where =
    namespace === undefined
      ? `ClusterRoleBinding ${JSON.stringify(metadata.name)}`
      : `RoleBinding ${JSON.stringify(`${metadata.name}/${namespace}`)}`;
  return `${where} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${who(subject)}`;
}

const who = (subject: Subject): string =>
  subject.kind === "ServiceAccount"
    ? `ServiceAccount ${JSON.stringify(`${subject.name}/${subject.namespace ?? ""}`)}`
    : `${subject.kind} ${JSON.stringify(subject.name)}`;
