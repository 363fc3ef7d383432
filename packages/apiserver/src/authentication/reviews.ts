import { type FieldError, fieldError, refusals } from "@skiff/api";
import { type Clock, isJsonObject, type JsonObject, timestamp } from "@skiff/base";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import type { ObjectCall } from "../subresources/object-handler.ts";
import { reviewHandler } from "../subresources/review-handler.ts";
import { authenticatedGroup } from "./request-authenticator.ts";
import type { TokenAuthenticator, TokenOutcome } from "./token-authenticator.ts";
import { userToJson } from "./user-json.ts";

const group = "authentication.k8s.io";

/** What token reviews look tokens up in. */
export interface TokenSources {
  readonly tokens: TokenAuthenticator;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
}

function tokenReview({ tokens, audiences }: TokenSources): (call: ObjectCall) => Promise<JsonObject> {
  return async ({ body = {} }) => {
    const spec = isJsonObject(body.spec) ? body.spec : {};
    const { token, audiences: asked } = spec;
    if (typeof token !== "string" || token === "")
      throw refusals.badRequest("token is required for TokenReview in authentication");
    const given = Array.isArray(asked) ? asked.filter((item) => typeof item === "string") : [];
    const wanted = given.length > 0 ? given : audiences;
    const outcome = await tokens.look(token, wanted);
    return {
      kind: "TokenReview",
      apiVersion: `${group}/v1`,
      metadata: {},
      spec,
      status: statusOf(outcome),
    };
  };
}

function statusOf(outcome: TokenOutcome): JsonObject {
  switch (outcome.kind) {
    case "user": {
      const { user, audiences } = outcome;
      const groups = user.groups.includes(authenticatedGroup) ? user.groups : [...user.groups, authenticatedGroup];
      return { authenticated: true, user: userToJson({ ...user, groups }), audiences: [...audiences] };
    }
    case "refused":
      return { user: {}, error: `[invalid bearer token, ${outcome.why}]` };
    case "unknown":
      return { user: {}, error: "invalid bearer token" };
  }
}

const selfReview =
  (clock: Clock) =>
  async ({ context }: ObjectCall): Promise<JsonObject> => ({
    kind: "SelfSubjectReview",
    apiVersion: `${group}/v1`,
    metadata: { creationTimestamp: timestamp(clock.now()) },
    status: { userInfo: userToJson(context.user) },
  });

/** The resources of `authentication.k8s.io`: who am I, whose token is this. */
export function authenticationReviews(
  sources: TokenSources,
  clock: Clock,
  table: Pick<ResourceTable, "find">,
): ReadonlyMap<string, SubresourceHandler> {
  const review = (plural: string, serve: (call: ObjectCall) => Promise<JsonObject>): [string, SubresourceHandler] => [
    `${plural}.${group}`,
    reviewHandler(table, { group, plural }, serve),
  ];
  return new Map([review("tokenreviews", tokenReview(sources)), review("selfsubjectreviews", selfReview(clock))]);
}

const maxSeconds = 2 ** 32;

/** What is wrong with the number of seconds that a token is asked for. */
export function expirationErrors(seconds: number): FieldError[] {
  const field = "spec.expirationSeconds";
  if (seconds < 600) return [fieldError.invalid(field, seconds, "may not specify a duration less than 10 minutes")];
  return seconds > maxSeconds
    ? [fieldError.invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")]
    : [];
}
