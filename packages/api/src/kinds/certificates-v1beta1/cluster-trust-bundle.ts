import { X509Certificate } from "node:crypto";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { ClusterTrustBundle } from "../../generated/types/certificates-v1beta1.ts";
import { checkImmutable, type Findings, invalidFor } from "../../validation/checks.ts";
import { dnsSubdomainName } from "../../validation/names.ts";
import { checkSignerName } from "../certificates-v1/signer-name.ts";

const largestBundle = 1024 * 1024;

/** `clustertrustbundles.certificates.k8s.io`: certificates of authorities that pods may trust. */
export const ClusterTrustBundles = defineResource<ClusterTrustBundle>({
  group: "certificates.k8s.io",
  version: "v1beta1",
  kind: "ClusterTrustBundle",
  plural: "clustertrustbundles",
  columns: [{ title: "SignerName", value: ({ spec }) => spec?.signerName || "<none>" }],
  selectableFields: [{ path: "spec.signerName", value: ({ spec }) => spec?.signerName ?? "" }],
  // What a name may be depends on the signer.
  validateName: () => [],
  validate: (bundle) => [...checkName(bundle), ...checkSigner(bundle), ...checkAnchors(bundle.spec?.trustBundle ?? "")],
  validateUpdate: ({ spec }, old) => [
    ...checkImmutable("spec.signerName", spec?.signerName ?? "", old.spec?.signerName ?? ""),
  ],
});

const checkName = ({ metadata: { name = "" }, spec }: ClusterTrustBundle): Findings =>
  invalidFor("metadata.name", name, nameFaults(name, spec?.signerName ?? ""));

function nameFaults(name: string, signerName: string): readonly string[] {
  if (signerName === "") {
    return name.includes(":")
      ? ['ClusterTrustBundle without signer name must not have ":" in its name']
      : dnsSubdomainName(name, false);
  }
  const prefix = `${signerName.replaceAll("/", ":")}:`;
  return name.startsWith(prefix)
    ? dnsSubdomainName(name.slice(prefix.length), false)
    : [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`];
}

const checkSigner = ({ spec }: ClusterTrustBundle): Findings =>
  spec?.signerName ? checkSignerName("spec.signerName", spec.signerName) : [];

/** At least one certificate of an authority, each once, and nothing else. */
function* checkAnchors(text: string): Findings {
  const field = "spec.trustBundle";
  if (Buffer.byteLength(text) > largestBundle) {
    yield fieldError.tooLong(field, largestBundle);
    return;
  }
  const wrong = (why: string) => fieldError.invalid(field, "<value omitted>", why);
  const seen = new Map<string, number[]>();
  let malformed = false;
  for (const [index, block] of [...text.matchAll(/-----BEGIN ([^-]+)-----\s*([^-]*?)-----END \1-----/g)].entries()) {
    const fault = anchorFault(block);
    if (fault !== undefined) {
      malformed = true;
      yield wrong(`entry ${index} ${fault}`);
      continue;
    }
    const body = (block[2] ?? "").replaceAll(/\s/g, "");
    seen.set(body, [...(seen.get(body) ?? []), index]);
  }
  if (malformed) return;
  if (seen.size === 0) yield wrong("at least one trust anchor must be provided");
  for (const indices of seen.values()) {
    if (indices.length > 1) yield wrong(`duplicate trust anchor (indices [${indices.join(" ")}])`);
  }
}

function anchorFault([text, type, body = ""]: readonly (string | undefined)[]): string | undefined {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`;
  if (body.includes(":")) return "has PEM block headers";
  try {
    return new X509Certificate(text ?? "").ca ? undefined : "does not have the CA bit set";
  } catch {
    return "does not parse as X.509";
  }
}
