import { defineResource } from "../../define-resource.ts";
import type { CertificateSigningRequest } from "../../generated/types/certificates-v1.ts";

/** `certificatesigningrequests.certificates.k8s.io`. */
export const CertificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
});
