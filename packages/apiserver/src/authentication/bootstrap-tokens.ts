import { Secrets } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import { type TokenAuthenticator, unknownToken } from "./token-authenticator.ts";

const secretType = "bootstrap.kubernetes.io/token";
const usualGroup = "system:bootstrappers";

/**
 * Bootstrap tokens, `abcdef.0123456789abcdef`: Secrets `bootstrap-token-abcdef` of kube-system, with which machines join.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export function bootstrapTokens(options: {
  readonly table: ResourceTable;
  readonly clock: Clock;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
}): TokenAuthenticator {
  return {
    look(token, audiences) {
      const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token) ?? [];
      if (id === undefined) return unknownToken;
      const ref = { namespace: "kube-system", name: `bootstrap-token-${id}` };
      const found = options.table.of(Secrets).peek(ref);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return unknownToken;
      if (found.type !== secretType || found.data === undefined) return unknownToken;
      const data = (key: string) => Buffer.from(found.data?.[key] ?? "", "base64").toString("utf8");
      if (data("token-secret") !== secret || data("token-id") !== id) return unknownToken;
      if (isExpired(data("expiration"), options.clock.now())) return unknownToken;
      if (data("usage-bootstrap-authentication") !== "true") return unknownToken;
      const groups = extraGroups(data("auth-extra-groups"));
      const common = audiences.filter((audience) => options.audiences.includes(audience));
      if (groups === undefined || common.length === 0) return unknownToken;
      const user = { name: `system:bootstrap:${id}`, groups: [usualGroup, ...groups] };
      return { kind: "user", user, audiences: common };
    },
  };
}

/** An expiration that cannot be read is over. */
function isExpired(expiration: string, nowMs: number): boolean {
  if (expiration === "") return false;
  const time = Date.parse(expiration);
  return Number.isNaN(time) || nowMs > time;
}

/** `undefined`: a group that no token may give. */
function extraGroups(list: string): readonly string[] | undefined {
  if (list === "") return [];
  const groups = [...new Set(list.split(",").map((group) => group.trim()))].sort();
  return groups.every((group) => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group)) ? groups : undefined;
}
