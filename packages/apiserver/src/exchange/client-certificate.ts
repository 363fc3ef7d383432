import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClientCertificate } from "../contracts.ts";

/** What a connection's client showed of itself. */
export interface ShownCertificate {
  readonly certificate: ClientCertificate | undefined;
  /** A certificate was shown, but it is not one of ours (any more). */
  readonly rejected: boolean;
}

const nothingShown: ShownCertificate = { certificate: undefined, rejected: false };

/**
 * Reads the client's certificate. Once a connection: the handshake has verified it already. `frontProxyAuthority`: whose
 * certificates stand for a proxy, and for nobody else.
 */
export function shownCertificate(socket: TLSSocket, frontProxyAuthority?: X509Certificate): ShownCertificate {
  const { subject, raw, valid_to: validTo } = socket.getPeerCertificate();
  if (subject === undefined) return nothingShown;
  if (!socket.authorized) return { certificate: undefined, rejected: true };
  const organizations: readonly unknown[] = Array.isArray(subject.O) ? subject.O : [subject.O];
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  return {
    certificate: {
      commonName: String(subject.CN ?? ""),
      organizations: organizations.filter(isText),
      fingerprint: createHash("sha256").update(raw).digest("hex"),
      expiresMs: Date.parse(validTo),
      isFrontProxy: frontProxyAuthority !== undefined && isOf(frontProxyAuthority, raw),
    },
    rejected: false,
  };
}

function isOf(authority: X509Certificate, raw: Buffer): boolean {
  const certificate = new X509Certificate(raw);
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
