import { refusals } from "@skiff/api";
import type { Clock, Logger } from "@skiff/base";
import type { Authenticator, ClientCertificate, Exchange, RequestInfo, UserInfo } from "../contracts.ts";
import { bearerToken } from "./bearer-token.ts";
import type { Impersonation } from "./impersonation.ts";
import { type RequestHeaderOptions, userOfFrontProxy } from "./request-header.ts";
import type { TokenAuthenticator, TokenOutcome } from "./token-authenticator.ts";

/** Everybody who showed who they are. */
export const authenticatedGroup = "system:authenticated";

/** Who shows nothing, where that is allowed. */
export const anonymousUser: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Whether requests without credentials are let in: all, none, or those for some paths. */
export type AnonymousRule = boolean | { readonly paths: readonly string[] };

/** What a `RequestAuthenticator` works with. */
export interface RequestAuthenticatorOptions {
  readonly tokens: TokenAuthenticator;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  readonly anonymous: AnonymousRule;
  readonly impersonation: Impersonation;
  /** Absent: no proxy speaks for others. */
  readonly requestHeader?: RequestHeaderOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

const withAuthenticated = (user: UserInfo): UserInfo =>
  user.groups.includes(authenticatedGroup) ? user : { ...user, groups: [...user.groups, authenticatedGroup] };

/** Front proxies first, then certificates, then tokens, then anonymous; at last the change to an impersonated user. */
export class RequestAuthenticator implements Authenticator {
  readonly #options: RequestAuthenticatorOptions;
  /** Certificates are objects that a connection keeps: its user is made once. */
  readonly #certificateUsers = new WeakMap<object, UserInfo>();

  constructor(options: RequestAuthenticatorOptions) {
    this.#options = options;
  }

  authenticate(
    exchange: Pick<Exchange, "headers" | "headerValues" | "clientCertificate" | "path">,
    request: RequestInfo,
  ): Promise<UserInfo | undefined> | UserInfo | undefined {
    const user = this.#byCertificate(exchange) ?? this.#byToken(exchange);
    const impersonated = (known: UserInfo | undefined): UserInfo | Promise<UserInfo> | undefined =>
      known === undefined ? undefined : this.#options.impersonation.apply(known, exchange, request);
    return user instanceof Promise ? user.then(impersonated) : impersonated(user);
  }

  #byCertificate(exchange: Pick<Exchange, "headers" | "headerValues" | "clientCertificate">): UserInfo | undefined {
    const { clientCertificate: shown, headers } = exchange;
    if (shown === undefined) return undefined;
    if (shown.expiresMs <= this.#options.clock.now()) return this.#unlessToken(headers);
    if (shown.isFrontProxy) {
      const { requestHeader } = this.#options;
      const user = requestHeader === undefined ? undefined : userOfFrontProxy(requestHeader, shown, exchange);
      return user === undefined ? this.#unlessToken(headers) : withAuthenticated(user);
    }
    return shown.commonName === "" ? undefined : this.#userOf(shown);
  }

  /** Who shows a certificate that does not count is nobody else, unless a token says so. */
  #unlessToken(headers: Exchange["headers"]): undefined {
    if (bearerToken(headers) === undefined) throw refusals.unauthorized();
    return undefined;
  }

  #userOf(certificate: ClientCertificate): UserInfo {
    const known = this.#certificateUsers.get(certificate);
    if (known !== undefined) return known;
    const { commonName, organizations, fingerprint } = certificate;
    const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] };
    const user = withAuthenticated({ name: commonName, groups: organizations, extra });
    this.#certificateUsers.set(certificate, user);
    return user;
  }

  #byToken({ headers, path }: Pick<Exchange, "headers" | "path">): Promise<UserInfo> | UserInfo | undefined {
    const token = bearerToken(headers);
    if (token === undefined) return this.#letsIn(path) ? anonymousUser : undefined;
    const outcome = this.#options.tokens.look(token, this.#options.audiences);
    return outcome instanceof Promise ? outcome.then((known) => this.#settle(known)) : this.#settle(outcome);
  }

  #letsIn(path: string): boolean {
    const { anonymous } = this.#options;
    return typeof anonymous === "boolean" ? anonymous : anonymous.paths.includes(path);
  }

  #settle(outcome: TokenOutcome): UserInfo {
    if (outcome.kind === "user") return withAuthenticated(outcome.user);
    const why = outcome.kind === "refused" ? `[invalid bearer token, ${outcome.why}]` : "invalid bearer token";
    // Clients learn nothing of why; the log does.
    this.#options.logger.warn("Unable to authenticate the request", { why });
    throw refusals.unauthorized();
  }
}
