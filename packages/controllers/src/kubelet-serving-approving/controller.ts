import { type CertificateSigningRequest, CertificateSigningRequests, isNotFound, Nodes } from "@skiff/api";
import { defineController, done } from "@skiff/control-loop";
import { approvedBy } from "../certificate-approval.ts";
import { askingNode, namesOnly } from "./plan.ts";

/**
 * Approves the requests of nodes for certificates of their kubelets' servers, where they name that node alone: by them the API
 * server knows whom it asks for logs. Kubernetes leaves these to people, who could look at nothing else. All other requests
 * are left to people here too. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
 */
export const kubeletServingApprovingController = defineController<CertificateSigningRequest>({
  name: "kubelet-serving-approving",
  component: "certificate-controller",
  for: CertificateSigningRequests,
  reads: [Nodes],
  async reconcile(request, { client, cached, clock, signal }) {
    const name = askingNode(request);
    if (name === undefined) return done;
    // As it is now: the node has told its addresses a moment ago.
    const node = await client.get(Nodes, { name }, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
    if (node === undefined || !namesOnly(node, cached(Nodes).list(), request)) return done;
    const approved = approvedBy(request, "Auto approving kubelet serving certificate of the node's own names.", clock);
    await client.update(CertificateSigningRequests, approved, { subresource: "approval", signal });
    return done;
  },
});
