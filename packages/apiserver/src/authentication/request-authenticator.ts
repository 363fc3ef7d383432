import { refusals } from "@skiff/api";
import type { Logger } from "@skiff/base";
import type { Authenticator, Exchange, UserInfo } from "../contracts.ts";
import { bearerToken } from "./bearer-token.ts";
import type { Impersonation } from "./impersonation.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

/** Everybody who showed who they are. */
export const authenticatedGroup = "system:authenticated";

/** Who shows nothing, where that is allowed. */
export const anonymousUser: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

const withAuthenticated = (user: UserInfo): UserInfo =>
  user.groups.includes(authenticatedGroup) ? user : { ...user, groups: [...user.groups, authenticatedGroup] };

/** Certificates first, then tokens, then anonymous; at last the change to an impersonated user. */
export class RequestAuthenticator implements Authenticator {
  readonly #tokens: ServiceAccountTokens;
  readonly #staticTokens: ReadonlyMap<string, UserInfo>;
  readonly #audiences: readonly string[];
  readonly #anonymous: boolean;
  readonly #impersonation: Impersonation;
  readonly #logger: Logger;
  /** Certificates are objects that a connection keeps: its user is made once. */
  readonly #certificateUsers = new WeakMap<object, UserInfo>();

  constructor(options: {
    readonly tokens: ServiceAccountTokens;
    readonly staticTokens: ReadonlyMap<string, UserInfo>;
    readonly audiences: readonly string[];
    readonly anonymous: boolean;
    readonly impersonation: Impersonation;
    readonly logger: Logger;
  }) {
    this.#tokens = options.tokens;
    this.#staticTokens = options.staticTokens;
    this.#audiences = options.audiences;
    this.#anonymous = options.anonymous;
    this.#impersonation = options.impersonation;
    this.#logger = options.logger;
  }

  authenticate(
    exchange: Pick<Exchange, "headers" | "clientCertificate" | "query">,
  ): Promise<UserInfo | undefined> | UserInfo | undefined {
    const { headers } = exchange;
    const user = this.#byCertificate(exchange.clientCertificate) ?? this.#byToken(headers);
    const impersonated = (known: UserInfo | undefined): UserInfo | Promise<UserInfo> | undefined =>
      known === undefined ? undefined : this.#impersonation.apply(known, headers);
    return user instanceof Promise ? user.then(impersonated) : impersonated(user);
  }

  #byCertificate(certificate: Exchange["clientCertificate"]): UserInfo | undefined {
    if (certificate === undefined || certificate.commonName === "") return undefined;
    const known = this.#certificateUsers.get(certificate);
    if (known !== undefined) return known;
    const user = withAuthenticated({ name: certificate.commonName, groups: certificate.organizations });
    this.#certificateUsers.set(certificate, user);
    return user;
  }

  #byToken(headers: Exchange["headers"]): Promise<UserInfo> | UserInfo | undefined {
    const token = bearerToken(headers);
    if (token === undefined) return this.#anonymous ? anonymousUser : undefined;
    const known = this.#staticTokens.get(token);
    return known === undefined ? this.#byAccountToken(token) : withAuthenticated(known);
  }

  async #byAccountToken(token: string): Promise<UserInfo> {
    const outcome = await this.#tokens.look(token, this.#audiences);
    if (outcome.kind === "user") return withAuthenticated(outcome.user);
    // Clients learn nothing of why; the log does.
    if (outcome.kind === "refused") this.#logger.warn("Unable to authenticate the request", { why: outcome.why });
    throw refusals.unauthorized();
  }
}
