import type { TLSSocket } from "node:tls";
import type { Exchange } from "../contracts.ts";

/** What a connection's client showed of itself. */
export interface ShownCertificate {
  readonly certificate: Exchange["clientCertificate"];
  /** A certificate was shown, but it is not one of ours (any more). */
  readonly rejected: boolean;
}

const nothingShown: ShownCertificate = { certificate: undefined, rejected: false };

/** Reads the client's certificate. Once a connection: the handshake has verified it already. */
export function shownCertificate(socket: TLSSocket): ShownCertificate {
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return nothingShown;
  if (!socket.authorized) return { certificate: undefined, rejected: true };
  const organizations: readonly unknown[] = Array.isArray(subject.O) ? subject.O : [subject.O];
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  return {
    certificate: { commonName: String(subject.CN ?? ""), organizations: organizations.filter(isText) },
    rejected: false,
  };
}
