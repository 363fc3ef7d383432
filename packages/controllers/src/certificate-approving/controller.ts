import { type CertificateSigningRequest, CertificateSigningRequests, SubjectAccessReviews } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { defineController, done, type ReconcileContext } from "@skiff/control-loop";
import { type Recognized, recognize } from "./plan.ts";

/** Approves the requests of kubelets for client certificates, where RBAC lets them have one. */
export const certificateApprovingController = defineController<CertificateSigningRequest>({
  name: "certificate-approving",
  component: "certificate-controller",
  for: CertificateSigningRequests,
  async reconcile(request, context) {
    const kinds = recognize(request);
    for (const kind of kinds) if (await isAllowed(request, kind, context)) return await approve(request, kind, context);
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

async function approve(
  request: CertificateSigningRequest,
  { message }: Recognized,
  { client, clock, signal }: ReconcileContext,
) {
  const approved = {
    type: "Approved",
    status: "True",
    reason: "AutoApproved",
    message,
    lastUpdateTime: timestamp(clock.now()),
  };
  const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] };
  await client.update(CertificateSigningRequests, { ...request, status }, { subresource: "approval", signal });
  return done;
}
