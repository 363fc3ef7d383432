import type { CertificateRequest } from "@skiff/api";

/** The requests that the kubelet makes for itself, and what keeps others from being taken for such. */
export const kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
/** Of the certificates that kubelets' own servers show. */
export const kubeletServingSigner = "kubernetes.io/kubelet-serving";

/** What is wrong with a kubelet's request for a client certificate; `undefined`: nothing. */
export function kubeletClientFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  return (
    organizationFault(request) ??
    (request.dnsNames.length > 0 ? "DNS subjectAltNames are not allowed" : undefined) ??
    (request.emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (request.ipAddresses.length > 0 ? "IP subjectAltNames are not allowed" : undefined) ??
    (request.uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    commonNameFault(request) ??
    usagesFault(usages, ["client auth", "digital signature"])
  );
}

/** What is wrong with a kubelet's request for a certificate of its own server; `undefined`: nothing. */
export function kubeletServingFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const named = request.dnsNames.length + request.ipAddresses.length > 0;
  return (
    organizationFault(request) ??
    (named ? undefined : "DNS or IP subjectAltName is required") ??
    (request.emailAddresses.length > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (request.uris.length > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    usagesFault(usages, ["digital signature", "server auth"]) ??
    commonNameFault(request)
  );
}

const organizationFault = ({ organizations }: CertificateRequest): string | undefined =>
  organizations.length === 1 && organizations[0] === "system:nodes"
    ? undefined
    : "subject organization is not system:nodes";

const commonNameFault = ({ commonName }: CertificateRequest): string | undefined =>
  commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node: ";

/** Key encipherment is asked for with RSA keys only. */
function usagesFault(usages: readonly string[], wanted: readonly string[]): string | undefined {
  const essential = [...new Set(usages)].filter((usage) => usage !== "key encipherment").sort();
  return essential.join() === wanted.join() ? undefined : `usages did not match [${wanted.join(" ")}]`;
}
