import { type CertificateRequest, type CertificateSigningRequest, parseCertificateRequest } from "@skiff/api";
import {
  kubeletClientFault,
  kubeletClientSigner,
  kubeletServingFault,
  kubeletServingSigner,
} from "../kubelet-certificates.ts";

const longestMs = 365 * 24 * 3_600_000;
const shortestMs = 600_000;

/** What is to be done about a request. */
export type SigningPlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "sign"; readonly request: CertificateRequest; readonly durationMs: number }
  /** Approved, but not what its signer signs. */
  | { readonly kind: "fail"; readonly why: string };

type Rule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** The signers of Kubernetes' own, and what each refuses. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers */
const signers: Readonly<Record<string, Rule | undefined>> = {
  "kubernetes.io/kube-apiserver-client": (_request, usages) => clientUsagesFault(usages),
  [kubeletClientSigner]: kubeletClientFault,
  [kubeletServingSigner]: kubeletServingFault,
  "kubernetes.io/legacy-unknown": () => undefined,
};

/** Decides; see `SigningPlan`. */
export function planSigning({ spec, status }: CertificateSigningRequest): SigningPlan {
  const holds = (type: string) =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  const rule = signers[spec.signerName];
  if (rule === undefined || !holds("Approved") || holds("Denied") || holds("Failed") || status?.certificate) {
    return { kind: "nothing" };
  }
  const request = parseCertificateRequest(spec.request);
  const why = rule(request, spec.usages ?? []);
  return why === undefined ? { kind: "sign", request, durationMs: durationOf(spec) } : { kind: "fail", why };
}

const durationOf = ({ expirationSeconds }: CertificateSigningRequest["spec"]): number =>
  expirationSeconds === undefined ? longestMs : Math.max(shortestMs, Math.min(longestMs, expirationSeconds * 1000));

function clientUsagesFault(usages: readonly string[]): string | undefined {
  const allowed = ["client auth", "digital signature", "key encipherment"];
  const wrong = usages.find((usage) => !allowed.includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}
