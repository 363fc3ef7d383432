import { X509Certificate } from "node:crypto";
import type { CertificateSigningRequest } from "@skiff/api";

const hourMs = 3_600_000;
/** Decided requests are kept for an hour, so that their makers can fetch what came of them; others for a day. */
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/** When a request is of no use to anybody any more, in epoch milliseconds. */
export function removalTime({ metadata, status }: CertificateSigningRequest): number {
  const times = (status?.conditions ?? [])
    .filter(({ type }) => type === "Denied" || type === "Failed" || (type === "Approved" && !!status?.certificate))
    .map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? "") + decidedMs)
    .filter((time) => !Number.isNaN(time));
  return Math.min(Date.parse(metadata.creationTimestamp) + pendingMs, expiry(status?.certificate), ...times);
}

function expiry(certificate: string | undefined): number {
  if (!certificate) return Number.POSITIVE_INFINITY;
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, "base64")).validTo);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
