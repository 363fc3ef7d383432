import {
  ClusterRoleBindings,
  ClusterRoles,
  type KubeObject,
  type PolicyRule,
  RoleBindings,
  type RoleRef,
  Roles,
  refusals,
  type StatusError,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { RbacAuthorizer } from "../authorization/rbac-authorizer.ts";
import { compact, listText, ruleText, uncovered } from "../authorization/rule-coverage.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";
import { objectOf, oldObjectOf } from "./narrow.ts";

const everything: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

/** What escalation is checked against. */
export interface EscalationSources {
  readonly authorizer: AccessAuthorizer;
  readonly rbac: RbacAuthorizer;
}

/**
 * Nobody gives away what they do not have: roles and bindings are written only by those who hold all their rules, or may
 * `escalate` the role or `bind` it. It looks at the object as it will be, after everybody else has changed it.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export function rbacEscalation(sources: EscalationSources): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    resources: [Roles, ClusterRoles, RoleBindings, ClusterRoleBindings],
    handles: ({ operation, user, object, oldObject }) =>
      (operation === "CREATE" || operation === "UPDATE") &&
      !user.groups.includes("system:masters") &&
      !(object !== undefined && oldObject !== undefined && differsForCollectionOnly(object, oldObject)),
    async admit(request) {
      const role = objectOf(request, Roles) ?? objectOf(request, ClusterRoles);
      if (role !== undefined) await checkRole(sources, request, role.rules ?? []);
      const binding = objectOf(request, RoleBindings) ?? objectOf(request, ClusterRoleBindings);
      if (binding !== undefined) await checkBinding(sources, request, binding.roleRef);
    },
  };
}

async function checkRole(
  sources: EscalationSources,
  request: AdmissionRequest,
  rules: readonly PolicyRule[],
): Promise<void> {
  // A new role is asked about without its name, as its URL has none.
  const name = request.operation === "CREATE" ? "" : request.name;
  if (await may(sources, request, "escalate", { plural: request.resource.plural, name })) return;
  confirmHeld(sources, request, rules);
  const aggregates = [objectOf(request, ClusterRoles), oldObjectOf(request, ClusterRoles)].some(
    (role) => role?.aggregationRule !== undefined,
  );
  // Such a role gathers whatever others are labelled with later on.
  if (aggregates && missingRules(sources, request, everything).length > 0) {
    throw forbidden(request, "must have cluster-admin privileges to use the aggregationRule");
  }
}

async function checkBinding(sources: EscalationSources, request: AdmissionRequest, roleRef: RoleRef): Promise<void> {
  const plural = roleRef.kind === "Role" ? "roles" : "clusterroles";
  if (await may(sources, request, "bind", { plural, name: roleRef.name })) return;
  confirmHeld(sources, request, sources.rbac.rulesOf(roleRef, request.namespace));
}

async function may(
  { authorizer }: EscalationSources,
  { user, namespace }: AdmissionRequest,
  verb: "escalate" | "bind",
  role: { readonly plural: string; readonly name: string },
): Promise<boolean> {
  const request = { kind: "resource", verb, group: Roles.group, version: "*", namespace, ...role } as const;
  return (await authorizer.authorize({ user, request })).kind === "allowed";
}

function missingRules(
  { rbac }: EscalationSources,
  { user, namespace }: AdmissionRequest,
  rules: readonly PolicyRule[],
): readonly PolicyRule[] {
  return uncovered(rbac.rulesFor(user, namespace ?? "").rules, rules);
}

function confirmHeld(sources: EscalationSources, request: AdmissionRequest, rules: readonly PolicyRule[]): void {
  const missing = missingRules(sources, request, rules);
  if (missing.length === 0) return;
  const { user, namespace } = request;
  const texts = [...new Set(compact(missing).map(ruleText))].sort();
  const who = `user ${JSON.stringify(user.name)} (groups=${listText(user.groups)})`;
  const { errors } = sources.rbac.rulesFor(user, namespace ?? "");
  const unresolved = errors.length === 0 ? "" : `; resolution errors: [${errors.join(", ")}]`;
  throw forbidden(
    request,
    `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}${unresolved}`,
  );
}

const forbidden = ({ resource, object }: AdmissionRequest, why: string): StatusError =>
  refusals.forbidden({ group: resource.group, kind: resource.plural, name: object?.metadata.name ?? "" }, why);

/** Owners and finalizers change while an object is collected as garbage: that gives nobody any rights. */
function differsForCollectionOnly(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...others }: KubeObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...kept } = metadata;
    return { ...others, metadata: kept };
  };
  return jsonEqual(rest(object), rest(old));
}
