import { type CertificateSigningRequest, parseCertificateRequest } from "@skiff/api";
import { kubeletClientFault, kubeletClientSigner } from "../kubelet-certificates.ts";

/** A kind of request that is approved where whoever asks may create `subresource` of certificatesigningrequests. */
export interface Recognized {
  readonly subresource: "selfnodeclient" | "nodeclient";
  readonly message: string;
}

/** The kinds that a request, nobody having decided about it, may be approved as; none: it is left to people. */
export function recognize({ spec, status }: CertificateSigningRequest): readonly Recognized[] {
  const decided = (status?.conditions ?? []).some(({ type }) => type === "Approved" || type === "Denied");
  if (decided || status?.certificate || spec.signerName !== kubeletClientSigner) return [];
  const request = parseCertificateRequest(spec.request);
  if (kubeletClientFault(request, spec.usages ?? []) !== undefined) return [];
  const renews = spec.username === request.commonName;
  return [
    ...(renews ? [self] : []),
    {
      subresource: "nodeclient",
      message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    },
  ];
}

const self: Recognized = {
  subresource: "selfnodeclient",
  message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
};
