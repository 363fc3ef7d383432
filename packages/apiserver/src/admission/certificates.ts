import {
  type CertificateSigningRequest,
  CertificateSigningRequests,
  ClusterTrustBundles,
  parseCertificateRequest,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../contracts.ts";
import { objectOf, oldObjectOf, refused } from "./narrow.ts";

const resources = [CertificateSigningRequests];
const clientSigner = "kubernetes.io/kube-apiserver-client";

/** Who approves or denies a request must be allowed to `approve` for its signer, whoever signs it to `sign`. */
export function certificateAdmission(authorizer: AccessAuthorizer): readonly AdmissionPlugin[] {
  const check = async (request: AdmissionRequest, verb: "approve" | "sign"): Promise<void> => {
    const { signerName } = oldObjectOf(request, CertificateSigningRequests)?.spec ?? {};
    if (signerName === undefined || (await maySignFor(authorizer, request, { verb, signerName }))) return;
    throw refused(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
  };
  return [
    {
      name: "CertificateApproval",
      resources,
      handles: ({ operation, subresource }) => operation === "UPDATE" && subresource === "approval",
      validate: (request) => check(request, "approve"),
    },
    {
      name: "CertificateSigning",
      resources,
      handles: (request) =>
        request.operation === "UPDATE" &&
        request.subresource === "status" &&
        changesOutcome(objectOf(request, CertificateSigningRequests), oldObjectOf(request, CertificateSigningRequests)),
      validate: (request) => check(request, "sign"),
    },
    attest(authorizer),
    {
      name: "CertificateSubjectRestriction",
      resources,
      handles: ({ operation, subresource }) => operation === "CREATE" && subresource === undefined,
      validate(request) {
        const spec = objectOf(request, CertificateSigningRequests)?.spec;
        if (spec?.signerName !== clientSigner) return;
        const { organizations } = parseCertificateRequest(spec.request);
        if (!organizations.includes("system:masters")) return;
        throw refused(request, `use of ${clientSigner} signer with system:masters group is not allowed`);
      },
    },
  ];
}

/** Who vouches for the authorities of a signer must be allowed to `attest` for it. */
const attest = (authorizer: AccessAuthorizer): AdmissionPlugin => ({
  name: "ClusterTrustBundleAttest",
  resources: [ClusterTrustBundles],
  handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
  async validate(request) {
    const bundle = objectOf(request, ClusterTrustBundles);
    const signerName = bundle?.spec.signerName;
    const changed = !jsonEqual(bundle?.spec ?? null, oldObjectOf(request, ClusterTrustBundles)?.spec ?? null);
    if (!signerName || !changed || (await maySignFor(authorizer, request, { verb: "attest", signerName }))) return;
    throw refused(request, `user not permitted to attest for signerName ${JSON.stringify(signerName)}`);
  },
});

const changesOutcome = (
  request: CertificateSigningRequest | undefined,
  old: CertificateSigningRequest | undefined,
): boolean =>
  (request?.status?.certificate ?? "") !== (old?.status?.certificate ?? "") ||
  !jsonEqual(request?.status?.conditions ?? [], old?.status?.conditions ?? []);

/** By the signer's own name, or by all those of its domain. */
async function maySignFor(
  authorizer: AccessAuthorizer,
  { user }: AdmissionRequest,
  { verb, signerName }: { readonly verb: string; readonly signerName: string },
): Promise<boolean> {
  const signer = { kind: "resource", verb, group: "certificates.k8s.io", version: "*", plural: "signers" } as const;
  for (const name of [signerName, `${signerName.split("/")[0]}/*`]) {
    const decision = await authorizer.authorize({ user, request: { ...signer, name } });
    if (decision.kind === "allowed") return true;
  }
  return false;
}
