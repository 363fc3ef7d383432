import {
  type KubeObject,
  Nodes,
  Pods,
  type ResourceDefinition,
  type Secret,
  Secrets,
  ServiceAccounts,
} from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { ResourceTable, UserInfo } from "../contracts.ts";
import { type LegacyClaims, legacyClaimsFromJson } from "./legacy-token-claims.ts";
import { type TokenAuthenticator, type TokenOutcome, unknownToken } from "./token-authenticator.ts";
import { type BoundObject, claimsFromJson, type ServiceAccountClaims } from "./token-claims.ts";
import type { TokenKeys } from "./token-keys.ts";

const rememberedTokens = 4096;
/** Marks tokens in Secrets that nobody has used for a year. */
const invalidSince = "kubernetes.io/legacy-token-invalid-since";

/** Tells when a token in a Secret was last used. */
const lastUsed = "kubernetes.io/legacy-token-last-used";
const dayMs = 24 * 60 * 60_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** That a token in a Secret was used. */
export interface TokenUse {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As in `2026-01-31`. */
  readonly day: string;
}

const invalidated = ({ namespace, secretName, accountName }: LegacyClaims): string =>
  `the token in secret ${namespace}/${secretName} for service account ${namespace}/${accountName} has been marked invalid. ` +
  "Use tokens from the TokenRequest API or manually created secret-based tokens, " +
  `or remove the '${invalidSince}' label from the secret to temporarily allow use of this token`;

type Verified =
  | { readonly kind: "bound"; readonly claims: ServiceAccountClaims }
  | { readonly kind: "legacy"; readonly claims: LegacyClaims };

/**
 * Finds out whom a service-account token speaks for. The signature is checked once a token; whether its account, pod,
 * secret and node still are what they were is looked up every time, so that a token ends with them.
 */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #keys: TokenKeys;
  readonly #issuers: readonly string[];
  readonly #audiences: readonly string[];
  readonly #table: ResourceTable;
  readonly #clock: Clock;
  readonly #verified = new Map<string, Verified>();
  readonly #onUse: ((use: TokenUse) => void) | undefined;

  constructor(options: {
    readonly keys: TokenKeys;
    /** Whose tokens are good. */
    readonly issuers: readonly string[];
    /** Audiences of the API server itself: what tokens in Secrets are for. */
    readonly audiences: readonly string[];
    readonly table: ResourceTable;
    readonly clock: Clock;
    /** Hears of tokens in Secrets that are used, where that is not noted down for the day. */
    readonly onUse?: ((use: TokenUse) => void) | undefined;
  }) {
    this.#onUse = options.onUse;
    this.#keys = options.keys;
    this.#issuers = options.issuers;
    this.#audiences = options.audiences;
    this.#table = options.table;
    this.#clock = options.clock;
  }

  look(token: string, audiences: readonly string[]): TokenOutcome {
    const verified = this.#verify(token);
    if (verified === undefined) return unknownToken;
    return verified.kind === "legacy"
      ? this.#lookLegacy(token, verified.claims, audiences)
      : this.#lookBound(verified.claims, audiences);
  }

  #lookBound(claims: ServiceAccountClaims, audiences: readonly string[]): TokenOutcome {
    const nowSeconds = this.#clock.now() / 1000;
    if (nowSeconds >= claims.expires) return { kind: "refused", why: "service account token has expired" };
    if (nowSeconds + 60 < claims.issuedAt) return { kind: "refused", why: "service account token is not valid yet" };
    const common = claims.audiences.filter((audience) => audiences.includes(audience));
    if (common.length === 0) {
      const [given, wanted] = [claims.audiences, audiences].map(listText);
      return { kind: "refused", why: `token audiences ${given} is invalid for the target audiences ${wanted}` };
    }
    const why = this.#ended(claims);
    if (why !== undefined) return { kind: "refused", why };
    return { kind: "user", user: userOf(claims), audiences: common };
  }

  /** Such a token is for the API server alone, and as good as the Secret that it stands in. */
  #lookLegacy(token: string, claims: LegacyClaims, audiences: readonly string[]): TokenOutcome {
    const { namespace, secretName, accountName, accountUid } = claims;
    const common = audiences.filter((audience) => this.#audiences.includes(audience));
    if (common.length === 0) return { kind: "refused", why: "token has no audiences" };
    const ended: TokenOutcome = { kind: "refused", why: "service account token has been invalidated" };
    const account = this.#table.of(ServiceAccounts).peek({ namespace, name: accountName });
    const secret = this.#table.of(Secrets).peek({ namespace, name: secretName });
    if (account === undefined || account.metadata.uid !== accountUid || isLongGone(account, this.#clock.now())) {
      return ended;
    }
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return ended;
    if (secret.data?.token !== Buffer.from(token).toString("base64")) return ended;
    this.#noteUse(secret);
    if (secret.metadata.labels?.[invalidSince]) return { kind: "refused", why: invalidated(claims) };
    return {
      kind: "user",
      user: { ...serviceAccountUser(namespace, accountName), uid: accountUid },
      audiences: common,
    };
  }

  /** Clocks of servers may differ: that it was used tomorrow is as good as today. */
  #noteUse({ metadata }: Secret): void {
    const nowMs = this.#clock.now();
    const today = dayOf(nowMs);
    const last = metadata.labels?.[lastUsed];
    if (last === today || last === dayOf(nowMs + dayMs)) return;
    this.#onUse?.({ namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, day: today });
  }

  #verify(token: string): Verified | undefined {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const json = this.#keys.verify(token);
    if (json === undefined) return undefined;
    const bound = claimsFromJson(json);
    const legacy = bound === undefined ? legacyClaimsFromJson(json) : undefined;
    if (bound !== undefined && this.#issuers.includes(bound.issuer)) {
      return this.#remember(token, { kind: "bound", claims: bound });
    }
    return legacy === undefined ? undefined : this.#remember(token, { kind: "legacy", claims: legacy });
  }

  #remember(token: string, verified: Verified): Verified {
    if (this.#verified.size >= rememberedTokens) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(token, verified);
    return verified;
  }

  /** Why the token no longer holds; `undefined` when it does. */
  #ended({ namespace, serviceAccount, pod, secret, node }: ServiceAccountClaims): string | undefined {
    const nowMs = this.#clock.now();
    const account = this.#table.of(ServiceAccounts).peek({ namespace, name: serviceAccount.name });
    if (account === undefined || isLongGone(account, nowMs)) return "service account token has been invalidated";
    if (account.metadata.uid !== serviceAccount.uid) {
      return `service account UID (${account.metadata.uid}) does not match claim (${serviceAccount.uid})`;
    }
    const bound: readonly [BoundObject | undefined, ResourceDefinition, boolean][] = [
      [pod, Pods, true],
      [secret, Secrets, true],
      [pod === undefined ? node : undefined, Nodes, false],
    ];
    for (const [object, resource, namespaced] of bound) {
      if (object === undefined) continue;
      const ref = namespaced ? { namespace, name: object.name } : { name: object.name };
      const found = this.#table.of(resource).peek(ref);
      if (found === undefined || found.metadata.uid !== object.uid || isLongGone(found, nowMs)) {
        return "service account token has been invalidated";
      }
    }
    return undefined;
  }
}

/** `["a" "b"]`, as Kubernetes prints lists. */
const listText = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(" ")}]`;

/** Tokens outlive the beginning of their object's end by a minute, so that it can finish its work. */
const isLongGone = ({ metadata }: KubeObject, nowMs: number): boolean =>
  metadata.deletionTimestamp !== undefined && Date.parse(metadata.deletionTimestamp) + 60_000 < nowMs;

/** The user that a service account is. */
export const serviceAccountUser = (namespace: string, name: string): Pick<UserInfo, "name" | "groups"> => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
});

/** The service account that a user's name stands for. */
export function accountOfUser(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace, name, ...rest] = user.split(":");
  if (system !== "system" || kind !== "serviceaccount" || !namespace || !name || rest.length > 0) return undefined;
  return { namespace, name };
}

const nodeNameKey = "authentication.kubernetes.io/node-name";

/** The node that a service account's token is bound to, through the pod that it was made for. */
export function nodeOfAccount({ name, extra }: UserInfo): string | undefined {
  const [node, ...others] = extra?.[nodeNameKey] ?? [];
  return accountOfUser(name) === undefined || others.length > 0 ? undefined : node;
}

function userOf({ namespace, serviceAccount, pod, node, id }: ServiceAccountClaims): UserInfo {
  const extra: Record<string, readonly string[]> = {};
  const key = (name: string) => `authentication.kubernetes.io/${name}`;
  if (id !== "") extra[key("credential-id")] = [`JTI=${id}`];
  if (node !== undefined) extra[nodeNameKey] = [node.name];
  if (node !== undefined && node.uid !== "") extra[key("node-uid")] = [node.uid];
  if (pod !== undefined) {
    extra[key("pod-name")] = [pod.name];
    extra[key("pod-uid")] = [pod.uid];
  }
  return { ...serviceAccountUser(namespace, serviceAccount.name), uid: serviceAccount.uid, extra };
}
