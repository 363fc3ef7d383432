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
  readonly username: ClaimMapping;
  readonly groups?: ClaimMapping;
  /** The claim that is the user's uid. */
  readonly uidClaim?: string;
}

/** A claim, and what is put before its value. */
export interface ClaimMapping {
  readonly claim: string;
  readonly prefix: string;
}
