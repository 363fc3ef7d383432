import { createHash } from "node:crypto";
import { type Clock, describeError, isJsonObject, type JsonObject, type Logger } from "@skiff/base";
import type { UserInfo } from "../contracts.ts";
import { postReview, type RemoteServer } from "../webhooks/remote-server.ts";
import type { WebhookClient } from "../webhooks/webhook-client.ts";
import { type TokenAuthenticator, type TokenOutcome, unknownToken } from "./token-authenticator.ts";
import { TtlCache } from "./ttl-cache.ts";

const timeoutMs = 30_000;
const rememberedTokens = 4096;

/** Asks another server about bearer tokens. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication */
export function webhookTokens(options: {
  readonly client: WebhookClient;
  readonly server: RemoteServer;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  /** How long an answer, good or bad, is remembered. */
  readonly cacheTtlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}): TokenAuthenticator {
  const cache = new TtlCache<TokenOutcome>(options.clock, rememberedTokens);
  return {
    async look(token, audiences) {
      const key = createHash("sha256")
        .update(JSON.stringify([token, audiences]))
        .digest("base64");
      const known = cache.get(key);
      if (known !== undefined) return known;
      const body = {
        kind: "TokenReview",
        apiVersion: "authentication.k8s.io/v1",
        metadata: {},
        spec: { token, audiences: [...audiences] },
      };
      try {
        const answer = await postReview(options.client, options.server, { body, timeoutMs });
        const outcome = outcomeOf(answer, audiences, options.audiences);
        cache.set(key, outcome, options.cacheTtlMs);
        return outcome;
      } catch (error) {
        options.logger.error("Failed to make webhook authenticator request", { error: describeError(error) });
        return { kind: "refused", why: describeError(error) };
      }
    },
  };
}

function outcomeOf(answer: JsonObject, asked: readonly string[], own: readonly string[]): TokenOutcome {
  const status = isJsonObject(answer.status) ? answer.status : {};
  if (status.authenticated !== true) {
    return typeof status.error === "string" && status.error !== ""
      ? { kind: "refused", why: status.error }
      : unknownToken;
  }
  // A webhook that knows nothing of audiences speaks for the API server's own.
  const given = textsOf(status.audiences);
  const audiences = asked.filter((audience) => (given.length > 0 ? given : own).includes(audience));
  if (audiences.length === 0) return unknownToken;
  return { kind: "user", user: userOf(isJsonObject(status.user) ? status.user : {}), audiences };
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

function userOf({ username, uid, groups, extra }: JsonObject): UserInfo {
  const more = Object.entries(isJsonObject(extra) ? extra : {}).map(([key, values]): [string, string[]] => [
    key,
    textsOf(values),
  ]);
  return {
    name: typeof username === "string" ? username : "",
    ...(typeof uid === "string" && uid !== "" ? { uid } : {}),
    groups: textsOf(groups),
    ...(more.length === 0 ? {} : { extra: Object.fromEntries(more) }),
  };
}
