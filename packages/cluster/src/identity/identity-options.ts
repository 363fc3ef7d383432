import {
  type AccessAuthorizer,
  type AnonymousRule,
  type JwtIssuer,
  oidcTokens,
  parseTokenFile,
  type StandardPartsOptions,
  type TokenAuthenticator,
  WebhookAuthorizer,
  webhookTokens,
} from "@skiff/apiserver";
import { type Clock, describeError, type Logger } from "@skiff/base";
import type { ApiServerFlags } from "./api-server-flags.ts";
import { parseAuthentication } from "./authentication-configuration.ts";
import { type AuthorizerChoice, parseAuthorization, usualWebhookTimes } from "./authorization-configuration.ts";
import { badOption, durationMs, readConfiguration, readOption } from "./config-file.ts";
import { clientFor, remoteServer } from "./remote-server.ts";

/** Those of the API server's options that have to do with identity. */
export type IdentityOptions = Pick<
  StandardPartsOptions,
  "serviceAccounts" | "tokenAuthenticators" | "authorizers" | "staticTokens" | "anonymous"
>;

interface Surroundings {
  readonly flags: ApiServerFlags;
  readonly clock: Clock;
  readonly logger: Logger;
}

const usualTokenTtlMs = 120_000;
const [alwaysAllow, alwaysDeny]: readonly AccessAuthorizer[] = [
  { authorize: () => ({ kind: "allowed", reason: "" }) },
  { authorize: () => ({ kind: "noOpinion", reason: "Everything is forbidden." }) },
];

/** Reads all files that the options name. Throws `ClusterError` for those that cannot be, or say nonsense. */
export async function identityOptions(
  defaults: { readonly issuer: string; readonly privateKey: string },
  around: Surroundings,
): Promise<IdentityOptions> {
  const { flags } = around;
  const serviceAccounts = await serviceAccountOptions(defaults, flags);
  const audiences = serviceAccounts.audiences ?? [serviceAccounts.issuer];
  const file = one(flags, "authentication-config");
  const config =
    file === undefined
      ? { issuers: [] }
      : parseAuthentication(await readConfiguration("authentication-config", file, "AuthenticationConfiguration"));
  const issuers = [...config.issuers, ...(await oidcFlags(flags))];
  const tokenFile = one(flags, "token-auth-file");
  const authorizers = await chosenAuthorizers(around);
  return {
    serviceAccounts,
    anonymous: anonymousRule(flags, config.anonymous),
    tokenAuthenticators: [
      ...(await Promise.all(issuers.map((issuer) => oidcTokens({ issuer, audiences, ...around })))),
      ...tokenWebhook(audiences, around),
    ],
    ...(authorizers === undefined ? {} : { authorizers }),
    ...(tokenFile === undefined ? {} : { staticTokens: await readTokens(tokenFile) }),
  };
}

/** The value of an option that is given once. */
const one = (flags: ApiServerFlags, name: string): string | undefined => flags[name]?.at(-1);

const listOf = (flags: ApiServerFlags, name: string): readonly string[] =>
  (flags[name] ?? []).flatMap((text) => text.split(",")).filter((item) => item !== "");

function duration(flags: ApiServerFlags, name: string, usualMs: number): number {
  const text = one(flags, name);
  const found = text === undefined ? usualMs : durationMs(text);
  if (found === undefined) throw badOption(name, `${JSON.stringify(text)} is no duration, as 2m or 30s`);
  return found;
}

function anonymousRule(flags: ApiServerFlags, configured: AnonymousRule | undefined): AnonymousRule {
  const text = one(flags, "anonymous-auth");
  if (text !== undefined && configured !== undefined) {
    throw badOption(
      "anonymous-auth",
      "cannot be set when anonymous field is configured in authentication configuration file",
    );
  }
  return configured ?? text !== "false";
}

async function readTokens(path: string) {
  const text = await readOption("token-auth-file", path);
  try {
    return parseTokenFile(text);
  } catch (error) {
    throw badOption("token-auth-file", describeError(error), error);
  }
}

async function serviceAccountOptions(
  defaults: { readonly issuer: string; readonly privateKey: string },
  flags: ApiServerFlags,
): Promise<IdentityOptions["serviceAccounts"]> {
  const [issuer = defaults.issuer, ...otherIssuers] = flags["service-account-issuer"] ?? [];
  const signing = one(flags, "service-account-signing-key-file");
  const keyFiles = flags["service-account-key-file"] ?? [];
  const keys = await Promise.all(keyFiles.map((path) => readOption("service-account-key-file", path)));
  const audiences = listOf(flags, "api-audiences");
  const jwksUri = one(flags, "service-account-jwks-uri");
  return {
    issuer,
    otherIssuers,
    privateKey:
      signing === undefined ? defaults.privateKey : await readOption("service-account-signing-key-file", signing),
    // Tokens that the cluster's own key has signed stay good.
    verificationKeys: signing === undefined ? keys : [...keys, defaults.privateKey],
    ...(audiences.length === 0 ? {} : { audiences }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
  };
}

/** The issuer that the `--oidc-…` options name. */
async function oidcFlags(flags: ApiServerFlags): Promise<readonly JwtIssuer[]> {
  const url = one(flags, "oidc-issuer-url");
  if (url === undefined) return [];
  if (flags["authentication-config"] !== undefined) {
    throw badOption("authentication-config", "cannot be used together with --oidc-issuer-url");
  }
  const client = one(flags, "oidc-client-id");
  if (client === undefined) throw badOption("oidc-client-id", "must be given with --oidc-issuer-url");
  if (!url.startsWith("https://")) throw badOption("oidc-issuer-url", "the scheme must be https");
  const claim = one(flags, "oidc-username-claim") ?? "sub";
  const prefix = one(flags, "oidc-username-prefix") ?? (claim === "email" ? "" : `${url}#`);
  const groups = one(flags, "oidc-groups-claim");
  const algorithms = listOf(flags, "oidc-signing-algs");
  const authority = one(flags, "oidc-ca-file");
  return [
    {
      url,
      audiences: [client],
      algorithms: algorithms.length === 0 ? ["RS256"] : algorithms,
      username: { claim, prefix: prefix === "-" ? "" : prefix },
      requiredClaims: Object.fromEntries((flags["oidc-required-claim"] ?? []).map(requiredClaim)),
      ...(groups === undefined ? {} : { groups: { claim: groups, prefix: one(flags, "oidc-groups-prefix") ?? "" } }),
      ...(authority === undefined ? {} : { certificateAuthority: await readOption("oidc-ca-file", authority) }),
    },
  ];
}

function requiredClaim(text: string): [string, string] {
  const [, claim, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (claim === undefined || value === undefined)
    throw badOption("oidc-required-claim", `${JSON.stringify(text)} is not KEY=VALUE`);
  return [claim, value];
}

function tokenWebhook(
  audiences: readonly string[],
  { flags, clock, logger }: Surroundings,
): readonly TokenAuthenticator[] {
  const option = "authentication-token-webhook-config-file";
  const path = one(flags, option);
  if (path === undefined) return [];
  const cacheTtlMs = duration(flags, "authentication-token-webhook-cache-ttl", usualTokenTtlMs);
  return [
    webhookTokens({
      client: clientFor(clock),
      server: remoteServer(option, path),
      audiences,
      cacheTtlMs,
      clock,
      logger,
    }),
  ];
}

async function chosenAuthorizers({ flags, clock, logger }: Surroundings): Promise<IdentityOptions["authorizers"]> {
  const choices = await authorizerChoices(flags);
  return choices?.map((choice) => {
    if (choice.kind === "standard") return choice.name;
    if (choice.kind === "always") return choice.allows ? (alwaysAllow ?? "RBAC") : (alwaysDeny ?? "RBAC");
    const server = remoteServer("authorization-webhook-config-file", choice.kubeconfig);
    return new WebhookAuthorizer({ ...choice, client: clientFor(clock), server, clock, logger });
  });
}

async function authorizerChoices(flags: ApiServerFlags): Promise<readonly AuthorizerChoice[] | undefined> {
  const path = one(flags, "authorization-config");
  const modes = listOf(flags, "authorization-mode");
  if (path !== undefined) {
    if (modes.length > 0) throw badOption("authorization-config", "cannot be used together with --authorization-mode");
    return parseAuthorization(await readConfiguration("authorization-config", path, "AuthorizationConfiguration"));
  }
  if (modes.length === 0) return undefined;
  const kubeconfig = one(flags, "authorization-webhook-config-file");
  return modes.map((mode): AuthorizerChoice => {
    if (mode === "Node" || mode === "RBAC") return { kind: "standard", name: mode };
    if (mode === "AlwaysAllow" || mode === "AlwaysDeny") return { kind: "always", allows: mode === "AlwaysAllow" };
    if (mode !== "Webhook")
      throw badOption("authorization-mode", `${mode} is not one of Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny`);
    if (kubeconfig === undefined)
      throw badOption("authorization-mode", "Webhook needs --authorization-webhook-config-file");
    const authorizedTtlMs = duration(
      flags,
      "authorization-webhook-cache-authorized-ttl",
      usualWebhookTimes.authorizedTtlMs,
    );
    const unauthorizedTtlMs = duration(
      flags,
      "authorization-webhook-cache-unauthorized-ttl",
      usualWebhookTimes.unauthorizedTtlMs,
    );
    return { kind: "webhook", kubeconfig, ...usualWebhookTimes, authorizedTtlMs, unauthorizedTtlMs };
  });
}
