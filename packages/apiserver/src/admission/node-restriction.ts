import { Leases, Nodes, type Pod, Pods, ServiceAccounts } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { nodeNameOf } from "../authorization/node-authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { isFor, objectOf, oldObjectOf, refused } from "./narrow.ts";

/** Kubelets change their own node and the pods that are bound to it, nothing else. */
export function nodeRestriction(table: ResourceTable): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    handles: ({ user }) => nodeNameOf(user) !== undefined,
    admit(request) {
      const node = nodeNameOf(request.user);
      if (node === undefined) return;
      if (isFor(request, Nodes)) checkNode(request, node);
      else if (isFor(request, Pods)) checkPod(request, node, table);
      else if (isFor(request, Leases)) checkLease(request, node);
      else if (isFor(request, ServiceAccounts) && request.subresource === "token") return;
    },
  };
}

function checkNode(request: AdmissionRequest, node: string): void {
  const created = objectOf(request, Nodes);
  const name = request.name || (created?.metadata.name ?? "");
  if (name !== node)
    throw refused(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`);
  if (created === undefined) return;
  if (request.operation === "CREATE" && created.spec?.configSource !== undefined) {
    throw refused(request, `node ${JSON.stringify(node)} is not allowed to create pods with a non-nil configSource`);
  }
  const old = oldObjectOf(request, Nodes);
  if (request.operation !== "UPDATE" || old === undefined) return;
  if (!jsonEqual(old.spec?.taints ?? [], created.spec?.taints ?? [])) {
    throw refused(request, `node ${JSON.stringify(node)} is not allowed to modify taints`);
  }
}

function checkLease(request: AdmissionRequest, node: string): void {
  if (request.namespace !== "kube-node-lease") {
    throw refused(request, 'can only access leases in the "kube-node-lease" system namespace');
  }
  const name = request.name || (request.object?.metadata.name ?? "");
  if (name !== node) throw refused(request, "can only access node lease with the same name as the requesting node");
}

const quoted = (text: string): string => JSON.stringify(text);

function checkPod(request: AdmissionRequest, node: string, table: ResourceTable): void {
  const { operation, subresource, namespace = "", name } = request;
  const stored = (): Pod | undefined => oldObjectOf(request, Pods) ?? table.of(Pods).peek({ namespace, name });
  const mine = (pod: Pod | undefined) => pod?.spec?.nodeName === node;
  if (operation === "CREATE" && subresource === undefined) {
    const pod = objectOf(request, Pods);
    if (pod?.metadata.annotations?.["kubernetes.io/config.mirror"] === undefined) {
      throw refused(
        request,
        `pod does not have ${quoted("kubernetes.io/config.mirror")} annotation, node ${quoted(node)} can only create mirror pods`,
      );
    }
    if (!mine(pod))
      throw refused(request, `node ${quoted(node)} can only create pods with spec.nodeName set to itself`);
  } else if (operation === "DELETE" && !mine(stored())) {
    throw refused(request, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`);
  } else if (operation === "CREATE" && subresource === "eviction" && !mine(stored())) {
    throw refused(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
  } else if (operation === "UPDATE" && subresource === "status" && !mine(stored())) {
    throw refused(request, `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`);
  } else if (operation === "UPDATE" && subresource !== "status") {
    throw refused(
      request,
      `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`,
    );
  }
}
