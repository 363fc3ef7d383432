import type { Pod, Secret, ServiceAccount } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

const secretType = "kubernetes.io/service-account-token";
export const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
export const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";

const dayMs = 24 * 60 * 60_000;
/** For so long nobody must have used a token before it is taken out of use, and again before it is removed. */
const unusedMs = 365 * dayMs;

/** What is to become of a token's Secret. */
export type TokenFate =
  | { readonly kind: "keep" }
  | { readonly kind: "invalidate"; readonly since: string }
  | { readonly kind: "remove" };

const keep: TokenFate = { kind: "keep" };

export const isAccountToken = ({ type }: Secret): boolean => type === secretType;

/** `2026-01-31`. */
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The day that a label tells; `undefined` for what is none. */
const dayIn = (text: string | undefined): string | undefined =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;

/** Epoch milliseconds from when on all uses of tokens have surely been noted down. */
export function trackedSinceMs(text: string | undefined): number | undefined {
  const day = dayIn(text);
  return day === undefined ? undefined : Date.parse(day) + dayMs;
}

/**
 * Tokens that a cluster once made by itself for each service account go when nobody uses them: first they are not good any
 * more, so that whoever needs one after all has time to say so.
 */
export function planToken(
  secret: Secret,
  seen: {
    readonly account: ServiceAccount | undefined;
    readonly pods: readonly Pod[];
    readonly trackedSinceMs: number;
    readonly nowMs: number;
  },
): TokenFate {
  const { metadata } = secret;
  const { nowMs } = seen;
  const horizonMs = nowMs - unusedMs;
  const horizon = dateOf(horizonMs);
  if (metadata.deletionTimestamp !== undefined || seen.trackedSinceMs > horizonMs) return keep;
  if (Date.parse(metadata.creationTimestamp) >= horizonMs) return keep;
  const lastUsed = metadata.labels?.[lastUsedLabel];
  // What says nothing sensible of its last use cannot be judged.
  if (lastUsed !== undefined && (dayIn(lastUsed) ?? horizon) >= horizon) return keep;
  if (!isGenerated(secret, seen.account)) return keep;
  if (seen.pods.some(({ spec }) => secretNamesIn({ ...spec }).includes(metadata.name))) return keep;
  const invalidSince = dayIn(metadata.labels?.[invalidSinceLabel]);
  if (invalidSince === undefined) return { kind: "invalidate", since: dateOf(nowMs) };
  return invalidSince >= horizon ? keep : { kind: "remove" };
}

/** The account names it among its secrets: nobody does that by hand. */
function isGenerated({ metadata }: Secret, account: ServiceAccount | undefined): boolean {
  const uid = metadata.annotations?.["kubernetes.io/service-account.uid"] ?? "";
  if (account === undefined || (uid !== "" && uid !== account.metadata.uid)) return false;
  return (account.secrets ?? []).some(({ name }) => name === metadata.name);
}

/** Names of all Secrets that a pod refers to, in whatever way. */
function secretNamesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(secretNamesIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    if (key === "secretName" && typeof member === "string") return [member];
    const isReference = /secret(KeyRef|Ref|s)?$/i.test(key);
    const named = Array.isArray(member) ? member : [member];
    const names = isReference ? named.flatMap((one) => (isJsonObject(one) ? nameOf(one.name) : [])) : [];
    return [...names, ...secretNamesIn(member)];
  });
}

const nameOf = (name: unknown): readonly string[] => (typeof name === "string" ? [name] : []);
