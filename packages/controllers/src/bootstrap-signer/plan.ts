import { createHmac } from "node:crypto";
import type { ConfigMap } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { BootstrapToken } from "../bootstrap-token.ts";

const content = "kubeconfig";
const prefix = "jws-kubeconfig-";

/**
 * The data of `cluster-info` with a signature by every token that signs; `undefined` where it is right as it is. Whoever has
 * a token can then trust the kubeconfig there, though anybody may read it.
 */
export function planSignatures(
  { data = {} }: ConfigMap,
  tokens: readonly BootstrapToken[],
  nowMs: number,
): Record<string, string> | undefined {
  const signed = data[content];
  const others = Object.entries(data).filter(([key]) => !key.startsWith(prefix));
  const signatures = tokens
    .filter((token) => token.signs && token.expiresMs > nowMs && signed !== undefined)
    .map(({ id, secret }): [string, string] => [`${prefix}${id}`, detachedSignature(signed ?? "", { id, secret })]);
  const wanted = Object.fromEntries([...others, ...signatures]);
  return jsonEqual(wanted, data) ? undefined : wanted;
}

const base64url = (text: string): string => Buffer.from(text).toString("base64url");

/** A JWS (RFC 7515, HS256) without its payload: `HEADER..SIGNATURE`. */
export function detachedSignature(
  payload: string,
  { id, secret }: { readonly id: string; readonly secret: string },
): string {
  const header = base64url(JSON.stringify({ alg: "HS256", kid: id }));
  const signature = createHmac("sha256", secret)
    .update(`${header}.${base64url(payload)}`)
    .digest("base64url");
  return `${header}..${signature}`;
}
