import type { TokenAuthenticator } from "../token-authenticator.ts";
import type { OidcOptions } from "./oidc-tokens.ts";

/** Knows the ID tokens of a provider. Its library is loaded only here: few clusters have a provider. */
export const oidcTokens = async (options: OidcOptions): Promise<TokenAuthenticator> => {
  const { OidcTokens } = await import("./oidc-tokens.ts");
  return new OidcTokens(options);
};
