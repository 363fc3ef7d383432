import type { ClientCertificate, Exchange, UserInfo } from "../contracts.ts";

/** Where a front proxy says whom it asks for. Names in lower case. */
export interface RequestHeaderOptions {
  /** Common names of certificates of the front proxy's authority that may speak for others; all where empty. */
  readonly allowedNames: readonly string[];
}

const userHeader = "x-remote-user";
const uidHeader = "x-remote-uid";
const groupHeader = "x-remote-group";
const extraPrefix = "x-remote-extra-";

/**
 * The user that an authenticating proxy in front of the API server asks for. `undefined` where it does not say.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
 */
export function userOfFrontProxy(
  { allowedNames }: RequestHeaderOptions,
  certificate: ClientCertificate,
  request: Pick<Exchange, "headers" | "headerValues">,
): UserInfo | undefined {
  if (allowedNames.length > 0 && !allowedNames.includes(certificate.commonName)) return undefined;
  const { headers } = request;
  const name = headers[userHeader]?.trim() ?? "";
  if (name === "") return undefined;
  const uid = headers[uidHeader] ?? "";
  const extra = Object.keys(headers)
    .filter((header) => header.startsWith(extraPrefix))
    .map((header): [string, readonly string[]] => [
      decoded(header.slice(extraPrefix.length)),
      request.headerValues(header),
    ]);
  return {
    name,
    ...(uid === "" ? {} : { uid }),
    groups: request.headerValues(groupHeader).filter((group) => group !== ""),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
