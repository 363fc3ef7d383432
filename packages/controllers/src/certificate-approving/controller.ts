import { type CertificateSigningRequest, CertificateSigningRequests, SubjectAccessReviews } from "@skiff/api";
import { defineController, done, type ReconcileContext } from "@skiff/control-loop";
import { approvedBy } from "../certificate-approval.ts";
import { type Recognized, recognize } from "./plan.ts";

/** Approves the requests of kubelets for client certificates, where RBAC lets them have one. */
export const certificateApprovingController = defineController<CertificateSigningRequest>({
  name: "certificate-approving",
  component: "certificate-controller",
  for: CertificateSigningRequests,
  async reconcile(request, context) {
    const kinds = recognize(request);
    for (const kind of kinds) {
      if (!(await isAllowed(request, kind, context))) continue;
      const { client, clock, signal } = context;
      const approved = approvedBy(request, kind.message, clock);
      await client.update(CertificateSigningRequests, approved, { subresource: "approval", signal });
      return done;
    }
    if (kinds.length === 0) return done;
    // The right may come later: thrown, so that it is tried again.
    const tried = kinds.map(({ subresource }) => subresource).join(" ");
    const name = JSON.stringify(request.metadata.name);
    throw new Error(`recognized csr ${name} as [${tried}] but subject access review was not approved`);
  },
});

async function isAllowed(
  { spec }: CertificateSigningRequest,
  { subresource }: Recognized,
  { client, signal }: ReconcileContext,
): Promise<boolean> {
  const { username: user = "", uid, groups, extra } = spec;
  const resourceAttributes = {
    group: CertificateSigningRequests.group,
    resource: CertificateSigningRequests.plural,
    verb: "create",
    subresource,
    version: "*",
  };
  const review = { metadata: {}, spec: { user, uid, groups, extra, resourceAttributes } };
  const { status } = await client.create(SubjectAccessReviews, review, { signal });
  return status.allowed;
}
