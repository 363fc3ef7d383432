import { describeError } from "@skiff/base";

const codeOf = (error: unknown): string => {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  return typeof code === "string" ? code : "";
};

const field = (error: unknown, name: string): string => {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

const untrusted = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
const expired = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";

const byCode: Readonly<Record<string, (error: unknown, hostname: string) => string>> = {
  ECONNREFUSED: (error) => `dial tcp ${placeOf(error)}: connect: connection refused`,
  EHOSTUNREACH: (error) => `dial tcp ${placeOf(error)}: connect: no route to host`,
  ENETUNREACH: (error) => `dial tcp ${placeOf(error)}: connect: network is unreachable`,
  ETIMEDOUT: (error) => `dial tcp ${placeOf(error)}: i/o timeout`,
  ENOTFOUND: (_, hostname) => `dial tcp: lookup ${hostname}: no such host`,
  EAI_AGAIN: (_, hostname) => `dial tcp: lookup ${hostname}: Temporary failure in name resolution`,
  ECONNRESET: () => "EOF",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: () => untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => untrusted,
  UNABLE_TO_GET_ISSUER_CERT: () => untrusted,
  CERT_HAS_EXPIRED: () => expired,
  CERT_NOT_YET_VALID: () => expired,
  ERR_TLS_CERT_ALTNAME_INVALID: wrongName,
  ERR_SSL_WRONG_VERSION_NUMBER: () => "http: server gave HTTP response to HTTPS client",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: () => "http: server gave HTTP response to HTTPS client",
};

/** `10.0.0.1:443`. */
const placeOf = (error: unknown): string => `${field(error, "address")}:${field(error, "port")}`;

function wrongName(error: unknown, hostname: string): string {
  const cert: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "cert") : undefined;
  const names = field(cert, "subjectaltname")
    .split(", ")
    .map((name) => name.replace(/^(DNS|IP Address):/, ""))
    .filter((name) => name !== "");
  const known = names.length === 0 ? "" : `certificate is valid for ${names.join(", ")}, not ${hostname}`;
  const unnamed = "certificate is not valid for any names, but wanted to match";
  return `tls: failed to verify certificate: x509: ${known === "" ? `${unnamed} ${hostname}` : known}`;
}

/** Why a connection could not be made or broke, in the words of Go's libraries: clients look for some of them. */
export const transportErrorText = (error: unknown, hostname: string): string =>
  byCode[codeOf(error)]?.(error, hostname) ?? describeError(error);
