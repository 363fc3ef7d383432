import type { TokenKeys } from "../authentication/token-keys.ts";
import type { PathRoute } from "../standard-parts-options.ts";

/** What others need to check service-account tokens themselves: who signs them, and the public key. */
export function openIdRoutes(
  keys: TokenKeys,
  { issuer, jwksUri }: { readonly issuer: string; readonly jwksUri?: string },
): readonly PathRoute[] {
  const fixed = (path: string, contentType: string, json: unknown): PathRoute => {
    const body = JSON.stringify(json);
    return {
      path,
      match: "exact",
      async handle(exchange) {
        exchange.setHeader("cache-control", "public, max-age=3600");
        exchange.respond({ status: 200, contentType, body });
      },
    };
  };
  return [
    fixed("/.well-known/openid-configuration", "application/json", {
      issuer,
      jwks_uri: jwksUri ?? `${issuer.replace(/\/$/, "")}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: keys.algorithms(),
    }),
    fixed("/openid/v1/jwks", "application/jwk-set+json", keys.keySet()),
  ];
}
