import { randomInt } from "node:crypto";
import type { New, Secret } from "@skiff/api";
import { timestamp } from "@skiff/base";
import { ClusterError } from "../settings/cluster-error.ts";

/** A bootstrap token, `ID.SECRET`. https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
}

/** The group that new tokens give, as kubeadm's do: it may ask for certificates of nodes. */
export const joiningGroup = "system:bootstrappers:kubeadm:default-node-token";

const secretType = "bootstrap.kubernetes.io/token";
export const tokenNamespace = "kube-system";
export const secretNameOf = (id: string): string => `bootstrap-token-${id}`;

/** What a token may be used for. */
export const tokenUsages = ["signing", "authentication"] as const;
export type TokenUsage = (typeof tokenUsages)[number];

/** Throws `ClusterError` for what is no token. */
export function parseToken(text: string): BootstrapToken {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? [];
  if (id !== undefined && secret !== undefined) return { id, secret };
  throw new ClusterError(
    "OPTION_INVALID",
    "a token has the form abcdef.0123456789abcdef: six and sixteen of a-z and 0-9",
  );
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
const randomText = (length: number): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)]).join("");

/** A token that nobody can guess. */
export const newToken = (): BootstrapToken => ({ id: randomText(6), secret: randomText(16) });

/** A token with what is said of it. */
export interface TokenDetails extends BootstrapToken {
  /** Epoch milliseconds; `undefined`: it lasts. */
  readonly expiresMs: number | undefined;
  readonly usages: readonly TokenUsage[];
  readonly groups: readonly string[];
  readonly description: string;
}

/** The Secret that a token is. */
export function tokenSecret(token: TokenDetails): New<Secret> {
  const { id, secret, expiresMs, usages, groups, description } = token;
  const texts = {
    "token-id": id,
    "token-secret": secret,
    ...(description === "" ? {} : { description }),
    ...(expiresMs === undefined ? {} : { expiration: timestamp(expiresMs) }),
    ...Object.fromEntries(usages.map((usage) => [`usage-bootstrap-${usage}`, "true"])),
    ...(groups.length === 0 ? {} : { "auth-extra-groups": groups.join() }),
  };
  return {
    metadata: { namespace: tokenNamespace, name: secretNameOf(id) },
    type: secretType,
    data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString("base64")])),
  };
}

/** The token that a Secret is; `undefined`: none. */
export function tokenOfSecret({ type, data = {} }: Secret): TokenDetails | undefined {
  if (type !== secretType) return undefined;
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  const expiration = text("expiration");
  return {
    id: text("token-id"),
    secret: text("token-secret"),
    expiresMs: expiration === "" ? undefined : Date.parse(expiration),
    usages: tokenUsages.filter((usage) => text(`usage-bootstrap-${usage}`) === "true"),
    groups: text("auth-extra-groups").split(",").filter(Boolean),
    description: text("description"),
  };
}
