import type { JsonObject, JsonValue } from "@skiff/base";

/** What an issuer of JSON Web Tokens is trusted with, as `AuthenticationConfiguration` and the `--oidc-…` flags say. */
export interface JwtIssuer {
  /** `https://accounts.example.com`: the claim `iss`. */
  readonly url: string;
  /** Where its discovery document is; below `url` where absent. */
  readonly discoveryUrl?: string;
  /** PEM of whom to trust when asking it; the system's authorities where absent. */
  readonly certificateAuthority?: string;
  /** A token must be for one of them. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** Claims that must have these values. */
  readonly requiredClaims: Readonly<Record<string, string>>;
  /** Further rules for claims. */
  readonly claimRules?: readonly Rule[];
  readonly username: ClaimMapping | ClaimsExpression;
  readonly groups?: ClaimMapping | ClaimsExpression;
  readonly uid?: ClaimMapping | ClaimsExpression;
  readonly extra?: readonly { readonly key: string; readonly value: ClaimsExpression }[];
  /** Rules for the user that came of it, as a TokenReview shows it. */
  readonly userRules?: readonly Rule[];
}

/** A claim, and what is put before its value. */
export interface ClaimMapping {
  readonly claim: string;
  readonly prefix: string;
}

/** A value made of claims. Throws `Error` where that cannot be. */
export type ClaimsExpression = (claims: JsonObject) => JsonValue;

/** Must hold, or the token is refused with the message. Throws `Error` where that cannot be told. */
export interface Rule {
  readonly source: string;
  readonly message: string;
  holds(value: JsonObject): boolean;
}
