import { type Clock, describeError, isJsonObject, type JsonObject, type Logger } from "@skiff/base";
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import { type TokenAuthenticator, type TokenOutcome, unknownToken } from "../token-authenticator.ts";
import { userOfClaims } from "./claims-user.ts";
import { fetchJson } from "./fetch-json.ts";
import type { JwtIssuer } from "./jwt-issuer.ts";

/** Keys are asked for again at most this often, however many tokens name unknown ones. */
const refreshMs = 10_000;

/** What an `OidcTokens` works with. */
export interface OidcOptions {
  readonly issuer: JwtIssuer;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * ID tokens of an OpenID Connect provider. Its keys are fetched with the first of its tokens, and again when one names a key
 * that is not known. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
 */
export class OidcTokens implements TokenAuthenticator {
  readonly #options: OidcOptions;
  #keys: Promise<KeySet> | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  look(token: string, audiences: readonly string[]): TokenOutcome | Promise<TokenOutcome> {
    if (claimedIssuer(token) !== this.#options.issuer.url) return unknownToken;
    const common = audiences.filter((audience) => this.#options.audiences.includes(audience));
    return common.length === 0 ? unknownToken : this.#verify(token, common);
  }

  async #verify(token: string, audiences: readonly string[]): Promise<TokenOutcome> {
    try {
      const user = userOfClaims(await this.#claims(token), this.#options.issuer);
      return { kind: "user", user, audiences };
    } catch (error) {
      const why = describeError(error);
      return { kind: "refused", why: why.startsWith("oidc: ") ? why : `oidc: verify token: ${why}` };
    }
  }

  async #claims(token: string): Promise<JsonObject> {
    const { issuer, clock } = this.#options;
    const verify = async (keys: KeySet) =>
      await jwtVerify(token, keys, {
        issuer: issuer.url,
        audience: [...issuer.audiences],
        algorithms: [...issuer.algorithms],
        currentDate: new Date(clock.now()),
        requiredClaims: ["exp"],
      });
    let verified: Awaited<ReturnType<typeof verify>>;
    try {
      verified = await verify(await this.#keySet(false));
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      verified = await verify(await this.#keySet(true));
    }
    const claims: unknown = verified.payload;
    if (!isJsonObject(claims)) throw new Error("the claims are no JSON object");
    return claims;
  }

  /** `renew`: a token names a key that is not among those known. */
  #keySet(renew: boolean): Promise<KeySet> {
    const nowMs = this.#options.clock.monotonic();
    if (this.#keys !== undefined && !(renew && nowMs - this.#fetchedMs >= refreshMs)) return this.#keys;
    this.#fetchedMs = nowMs;
    const fetched = this.#fetchKeys();
    this.#keys = fetched;
    fetched.catch((error: unknown) => {
      this.#options.logger.error(`oidc authenticator: initializing plugin: ${describeError(error)}`);
      if (this.#keys === fetched) this.#keys = undefined;
    });
    return fetched;
  }

  async #fetchKeys(): Promise<KeySet> {
    const { url, discoveryUrl, certificateAuthority } = this.#options.issuer;
    const place = discoveryUrl ?? `${url.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const document = await fetchJson(place, certificateAuthority);
    if (document.issuer !== url) {
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${JSON.stringify(document.issuer)}`,
      );
    }
    if (typeof document.jwks_uri !== "string") throw new Error("oidc: the provider names no jwks_uri");
    const set = await fetchJson(document.jwks_uri, certificateAuthority);
    if (!isKeySet(set)) throw new Error(`oidc: ${document.jwks_uri} holds no keys`);
    return createLocalJWKSet(set);
  }
}

const isKeySet = (set: object): set is JSONWebKeySet => "keys" in set && Array.isArray(set.keys);

/** The issuer that a token names, without a look at its signature. */
function claimedIssuer(token: string): unknown {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    return isJsonObject(claims) ? claims.iss : undefined;
  } catch {
    return undefined;
  }
}
