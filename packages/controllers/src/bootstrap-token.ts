import type { Secret } from "@skiff/api";

/** Bootstrap tokens as they stand in Secrets. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  /** Whether `cluster-info` is signed with it. */
  readonly signs: boolean;
  /** Epoch milliseconds; infinite where it lasts. What cannot be read is over. */
  readonly expiresMs: number;
}

/** The token that a Secret holds; `undefined`: none. */
export function bootstrapTokenOf({ metadata, type, data }: Secret): BootstrapToken | undefined {
  if (metadata.namespace !== "kube-system" || type !== "bootstrap.kubernetes.io/token") return undefined;
  const text = (key: string) => Buffer.from(data?.[key] ?? "", "base64").toString("utf8");
  const expiration = text("expiration");
  const expiresMs = expiration === "" ? Number.POSITIVE_INFINITY : Date.parse(expiration);
  return {
    id: text("token-id"),
    secret: text("token-secret"),
    signs: text("usage-bootstrap-signing") === "true",
    expiresMs: Number.isNaN(expiresMs) ? 0 : expiresMs,
  };
}
