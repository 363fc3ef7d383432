import type { JsonObject } from "@skiff/base";
import { TokenKeys } from "./token-keys.ts";

/** What a token in a Secret of type `kubernetes.io/service-account-token` says. It holds as long as the Secret does. */
export interface LegacyClaims {
  readonly namespace: string;
  readonly secretName: string;
  readonly accountName: string;
  readonly accountUid: string;
}

/** Who signed such tokens, whatever the cluster's issuer is called. */
export const legacyIssuer = "kubernetes/serviceaccount";

const key = (name: string): string => `kubernetes.io/serviceaccount/${name}`;

/** The claims as Kubernetes writes them into the token. */
export const legacyClaimsToJson = ({ namespace, secretName, accountName, accountUid }: LegacyClaims): JsonObject => ({
  iss: legacyIssuer,
  [key("namespace")]: namespace,
  [key("secret.name")]: secretName,
  [key("service-account.name")]: accountName,
  [key("service-account.uid")]: accountUid,
  sub: `system:serviceaccount:${namespace}:${accountName}`,
});

/** Reads claims; `undefined` where they are not those of such a token. */
export function legacyClaimsFromJson(json: JsonObject): LegacyClaims | undefined {
  const text = (name: string): string => {
    const value = json[key(name)];
    return typeof value === "string" ? value : "";
  };
  const namespace = text("namespace");
  const accountName = text("service-account.name");
  const accountUid = text("service-account.uid");
  const secretName = text("secret.name");
  if (json.iss !== legacyIssuer || json.sub !== `system:serviceaccount:${namespace}:${accountName}`) return undefined;
  if (namespace === "" || accountName === "" || accountUid === "" || secretName === "") return undefined;
  return { namespace, secretName, accountName, accountUid };
}

/** Makes such tokens with a key (PEM). */
export function accountTokenIssuer(privateKey: string): (claims: LegacyClaims) => string {
  const keys = new TokenKeys(privateKey);
  return (claims) => keys.sign(legacyClaimsToJson(claims));
}
