/** Who asks and what they may do: the parts of an API server that find that out. */
import { bootstrapTokens } from "./authentication/bootstrap-tokens.ts";
import { Impersonation } from "./authentication/impersonation.ts";
import { RequestAuthenticator } from "./authentication/request-authenticator.ts";
import { ServiceAccountTokens } from "./authentication/service-account-tokens.ts";
import { audienceAgnostic, type TokenAuthenticator, TokenUnion } from "./authentication/token-authenticator.ts";
import { TokenKeys } from "./authentication/token-keys.ts";
import { NodeAuthorizer } from "./authorization/node-authorizer.ts";
import { RbacAuthorizer } from "./authorization/rbac-authorizer.ts";
import { mastersAuthorizer, UnionAuthorizer } from "./authorization/union-authorizer.ts";
import type { StandardPartsOptions } from "./standard-parts-options.ts";

/** See `identityParts`. */
export interface IdentityParts {
  readonly keys: TokenKeys;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  readonly tokens: TokenAuthenticator;
  readonly authenticator: RequestAuthenticator;
  readonly authorizer: UnionAuthorizer;
  readonly rbac: RbacAuthorizer;
}

/** The parts, from the options that have to do with them. */
export function identityParts(options: StandardPartsOptions): IdentityParts {
  const { table, clock, serviceAccounts } = options;
  const { issuer, otherIssuers = [] } = serviceAccounts;
  const audiences = serviceAccounts.audiences ?? [issuer];
  const keys = new TokenKeys(serviceAccounts.privateKey, serviceAccounts.verificationKeys);
  const accounts = new ServiceAccountTokens({
    keys,
    issuers: [issuer, ...otherIssuers],
    audiences,
    table,
    clock,
    onUse: options.onTokenUse,
  });
  const { staticTokens } = options;
  const tokens = new TokenUnion([
    ...(staticTokens === undefined ? [] : [audienceAgnostic(audiences, (token) => staticTokens.get(token))]),
    bootstrapTokens({ table, clock, audiences }),
    accounts,
    ...(options.tokenAuthenticators ?? []),
  ]);
  const rbac = new RbacAuthorizer(table);
  const standard = { Node: new NodeAuthorizer(table), RBAC: rbac };
  const chosen = options.authorizers ?? ["Node", "RBAC"];
  const authorizer = new UnionAuthorizer([
    mastersAuthorizer,
    ...chosen.map((one) => (typeof one === "string" ? standard[one] : one)),
  ]);
  const authenticator = new RequestAuthenticator({
    tokens,
    audiences,
    anonymous: options.anonymous,
    ...(options.requestHeader === undefined ? {} : { requestHeader: options.requestHeader }),
    clock,
    impersonation: new Impersonation(authorizer),
    logger: options.logger.named("authentication"),
  });
  return { keys, audiences, tokens, authenticator, authorizer, rbac };
}
