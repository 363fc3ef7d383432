import { X509Certificate } from "node:crypto";
import { fieldError } from "../../field-error.ts";
import type { CertificateSigningRequest } from "../../generated/types/certificates-v1.ts";
import { type Findings, sorted } from "../../validation/checks.ts";
import { parseCertificateRequest } from "../../x509/certificate-request.ts";
import { checkConditions } from "./request-conditions.ts";
import { checkSignerName } from "./signer-name.ts";

const usages = sorted([
  "signing",
  "digital signature",
  "content commitment",
  "key encipherment",
  "key agreement",
  "data encipherment",
  "cert sign",
  "crl sign",
  "encipher only",
  "decipher only",
  "any",
  "server auth",
  "client auth",
  "code signing",
  "email protection",
  "s/mime",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "timestamping",
  "ocsp signing",
  "microsoft sgc",
  "netscape sgc",
]);

const shortestSeconds = 600;

/** A new request. */
export function* checkRequest(request: CertificateSigningRequest): Findings {
  const { spec } = request;
  const why = requestFault(spec.request ?? "");
  if (why !== undefined) yield fieldError.invalid("spec.request", spec.request ?? "", why);
  if ((spec.usages ?? []).length === 0) yield fieldError.required("spec.usages");
  const seen = new Set<string>();
  for (const [index, usage] of (spec.usages ?? []).entries()) {
    const field = `spec.usages[${index}]`;
    if (!usages.includes(usage)) yield fieldError.notSupported(field, usage, usages);
    if (seen.has(usage)) yield fieldError.duplicate(field, usage);
    seen.add(usage);
  }
  if (spec.signerName === "kubernetes.io/legacy-unknown") {
    const message = "the legacy signerName is not allowed via this API version";
    yield fieldError.invalid("spec.signerName", spec.signerName, message);
  } else yield* checkSignerName("spec.signerName", spec.signerName ?? "");
  const { expirationSeconds } = spec;
  if (expirationSeconds !== undefined && expirationSeconds < shortestSeconds) {
    const message = "may not specify a duration less than 600 seconds (10 minutes)";
    yield fieldError.invalid("spec.expirationSeconds", expirationSeconds, message);
  }
  yield* checkOutcome(request);
}

function requestFault(text: string): string | undefined {
  try {
    return parseCertificateRequest(text).isSigned() ? undefined : "x509: signature verification failed";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Conditions and certificate. */
export function* checkOutcome(request: CertificateSigningRequest): Findings {
  yield* checkConditions(request);
  const why = certificateFault(request.status?.certificate ?? "");
  if (why !== undefined) yield fieldError.invalid("status.certificate", "<certificate data>", why);
}

function certificateFault(encoded: string): string | undefined {
  if (encoded === "") return undefined;
  const pem = Buffer.from(encoded, "base64").toString("latin1");
  const blocks = [...pem.matchAll(/-----BEGIN ([^-]+)-----\s*([^-]*?)-----END \1-----/g)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [text, type, body = ""] of blocks) {
    if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body.includes(":")) return "no PEM block headers are permitted";
    try {
      new X509Certificate(text);
    } catch {
      return "x509: malformed certificate";
    }
  }
  return undefined;
}
