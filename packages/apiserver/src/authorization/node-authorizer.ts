import type { ClusterRole } from "@skiff/api";
import type { Decision, ResourceTable, UserInfo } from "../contracts.ts";
import { type Access, type AccessAuthorizer, type AccessRequest, requiredValue } from "./access.ts";
import { nodeRules } from "./bootstrap/node-rules.ts";
import { NodeRelations } from "./node-relations.ts";
import { ruleAllows } from "./rules.ts";

const prefix = "system:node:";
const allowed: Decision = { kind: "allowed", reason: "" };
const none = (reason: string): Decision => ({ kind: "noOpinion", reason });

/** Name of the node that a kubelet's user speaks for, `undefined` for all other users. */
export const nodeNameOf = (user: UserInfo): string | undefined =>
  user.name.startsWith(prefix) && user.groups.includes("system:nodes") ? user.name.slice(prefix.length) : undefined;

type ResourceAccess = Extract<Access, { kind: "resource" }>;
type Check = (node: string, access: ResourceAccess) => Decision;

/**
 * What kubelets may do: objects only where they have to do with a pod on their node, or with the node itself; the rest as the
 * rules of `system:node` say. https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export class NodeAuthorizer implements AccessAuthorizer {
  readonly #relations: NodeRelations;
  readonly #rules: NonNullable<ClusterRole["rules"]> = nodeRules;
  readonly #checks: ReadonlyMap<string, Check>;

  constructor(table: ResourceTable) {
    this.#relations = new NodeRelations(table);
    const readOne: Check = (node, access) => this.#readOne(node, access);
    const getOne: Check = (node, access) => this.#getOne(node, access);
    this.#checks = new Map([
      ["/secrets", readOne],
      ["/configmaps", readOne],
      ["/persistentvolumeclaims", (node, access) => this.#claim(node, access)],
      ["/persistentvolumes", getOne],
      ["resource.k8s.io/resourceclaims", getOne],
      ["storage.k8s.io/volumeattachments", getOne],
      ["/serviceaccounts", (node, access) => this.#serviceAccount(node, access)],
      ["coordination.k8s.io/leases", lease],
      ["storage.k8s.io/csinodes", csiNode],
      ["resource.k8s.io/resourceslices", (node, access) => this.#slice(node, access)],
      ["certificates.k8s.io/podcertificaterequests", (node, access) => this.#certificateRequest(node, access)],
      ["/nodes", nodeItself],
      ["/pods", (node, access) => this.#pod(node, access)],
    ]);
  }

  authorize({ user, request }: AccessRequest): Decision {
    const node = nodeNameOf(user);
    if (node === undefined) return none("");
    if (node === "") return none(`unknown node for user ${JSON.stringify(user.name)}`);
    const check = request.kind === "resource" ? this.#checks.get(`${request.group}/${request.plural}`) : undefined;
    if (check !== undefined && request.kind === "resource") return check(node, request);
    return this.#rules.some((rule) => ruleAllows(rule, request)) ? allowed : none("");
  }

  unlisted(user: UserInfo): string | undefined {
    return nodeNameOf(user) === undefined ? undefined : "node authorizer does not support user rule resolution";
  }

  #related(node: string, { plural, namespace = "", name = "" }: ResourceAccess): Decision {
    if (name === "") return none("No Object name found");
    return this.#relations.relates(node, { plural, namespace, name })
      ? allowed
      : none(`no relationship found between node '${node}' and this object`);
  }

  #readOne(node: string, access: ResourceAccess): Decision {
    if (!["get", "list", "watch"].includes(access.verb)) return none("can only read resources of this type");
    if (access.subresource) return none("cannot read subresource");
    if (!access.namespace) return none("can only read namespaced object of this type");
    return this.#related(node, access);
  }

  #getOne(node: string, access: ResourceAccess): Decision {
    if (access.verb !== "get") return none("can only get individual resources of this type");
    return access.subresource ? none("cannot get subresource") : this.#related(node, access);
  }

  #claim(node: string, access: ResourceAccess): Decision {
    if (access.subresource !== "status") return this.#getOne(node, access);
    const writes = access.verb === "update" || access.verb === "patch";
    return writes ? this.#related(node, access) : none("can only get/update/patch this type");
  }

  #serviceAccount(node: string, access: ResourceAccess): Decision {
    if (access.verb === "get" && !access.subresource) return this.#related(node, access);
    if (access.verb !== "create" || !access.name) {
      return none("can only create tokens for individual service accounts");
    }
    if (access.subresource !== "token") return none("can only create token subresource of serviceaccount");
    return this.#related(node, access);
  }

  #slice(node: string, access: ResourceAccess): Decision {
    if (access.subresource) return none("cannot authorize ResourceSlice subresources");
    switch (access.verb) {
      case "create":
        return allowed;
      case "get":
      case "update":
      case "patch":
      case "delete":
        return this.#related(node, access);
      case "watch":
      case "list":
      case "deletecollection":
        return requiredValue(access, "spec.nodeName") === node
          ? allowed
          : none("can only list/watch/deletecollection resourceslices with nodeName field selector");
      default:
        return none(
          "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
        );
    }
  }

  #certificateRequest(node: string, access: ResourceAccess): Decision {
    if (access.subresource) return none("nodes may not access the status subresource of PodCertificateRequests");
    switch (access.verb) {
      case "create":
        return allowed;
      case "get":
        return this.#related(node, access);
      case "list":
      case "watch":
        return requiredValue(access, "spec.nodeName") === node
          ? allowed
          : none("can only list/watch podcertificaterequests with nodeName field selector");
      default:
        return none(`nodes may not ${access.verb} podcertificaterequests`);
    }
  }

  #pod(node: string, access: ResourceAccess): Decision {
    const { verb, subresource = "", name } = access;
    if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : none("");
    if (subresource === "eviction") return verb === "create" ? allowed : none("");
    if (subresource !== "") return none("");
    if (verb === "create" || verb === "delete") return allowed;
    if (verb === "get") return this.#getOne(node, access);
    if (verb !== "list" && verb !== "watch") return none("");
    if (requiredValue(access, "spec.nodeName") === node) return allowed;
    return name ? this.#related(node, access) : none("can only list/watch pods with spec.nodeName field selector");
  }
}

const ownVerbs = ["get", "create", "update", "patch", "delete"];

/** The name is not known when a lease is made: admission looks at it. */
const lease: Check = (node, { verb, namespace, name }) => {
  if (!ownVerbs.includes(verb)) return none("can only get, create, update, patch, or delete a node lease");
  if (namespace !== "kube-node-lease") {
    return none('can only access leases in the "kube-node-lease" system namespace');
  }
  return verb === "create" || name === node
    ? allowed
    : none("can only access node lease with the same name as the requesting node");
};

const csiNode: Check = (node, { verb, subresource, name }) => {
  if (!ownVerbs.includes(verb)) return none("can only get, create, update, patch, or delete a CSINode");
  if (subresource) return none("cannot authorize CSINode subresources");
  return verb === "create" || name === node
    ? allowed
    : none("can only access CSINode with the same name as the requesting node");
};

const nodeItself: Check = (node, { verb, subresource = "", name = "" }) => {
  if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : none("");
  if (subresource !== "") return none("");
  if (verb === "create" || verb === "update" || verb === "patch") return allowed;
  if (verb !== "get" && verb !== "list" && verb !== "watch") return none("");
  if (name === node) return allowed;
  return none(
    name === ""
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
};
