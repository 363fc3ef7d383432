import { parseFieldSelector, parseLabelSelector, SelectorError } from "@skiff/api";
import { type Clock, describeError, isJsonObject, type JsonObject, type Logger } from "@skiff/base";
import { TtlCache } from "../authentication/ttl-cache.ts";
import type { Decision, RequestSelectors, UserInfo } from "../contracts.ts";
import { postReview, type RemoteServer } from "../webhooks/remote-server.ts";
import type { WebhookClient } from "../webhooks/webhook-client.ts";
import type { Access, AccessAuthorizer, AccessRequest } from "./access.ts";

const rememberedDecisions = 8192;

/** Whom a `WebhookAuthorizer` asks, and what it makes of silence. */
export interface WebhookAuthorizerOptions {
  readonly client: WebhookClient;
  readonly server: RemoteServer;
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What a webhook that cannot be asked has decided. */
  readonly failurePolicy: "NoOpinion" | "Deny";
  /** Only questions for which it holds are asked; all where absent. Throws `Error` where that cannot be told. */
  readonly matches?: (question: JsonObject) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asks another server whether a user may do something. https://kubernetes.io/docs/reference/access-authn-authz/webhook/ */
export class WebhookAuthorizer implements AccessAuthorizer {
  readonly #options: WebhookAuthorizerOptions;
  readonly #cache: TtlCache<Decision>;

  constructor(options: WebhookAuthorizerOptions) {
    this.#options = options;
    this.#cache = new TtlCache(options.clock, rememberedDecisions);
  }

  authorize(request: AccessRequest): Decision | Promise<Decision> {
    const spec = specOf(request);
    const concerned = this.#concerns(spec);
    if (concerned !== undefined) return concerned;
    const key = JSON.stringify(spec);
    return this.#cache.get(key) ?? this.#ask(key, spec);
  }

  unlisted(): string {
    return "webhook authorizer does not support user rule resolution";
  }

  /** What to decide without asking; `undefined`: ask. */
  #concerns(spec: JsonObject): Decision | undefined {
    const { matches, failurePolicy, logger } = this.#options;
    try {
      return matches === undefined || matches(spec) ? undefined : { kind: "noOpinion", reason: "" };
    } catch (error) {
      logger.error("a match condition of a webhook authorizer cannot be evaluated", { error: describeError(error) });
      return { kind: failurePolicy === "Deny" ? "denied" : "noOpinion", reason: "" };
    }
  }

  async #ask(key: string, spec: JsonObject): Promise<Decision> {
    const { client, server, timeoutMs, authorizedTtlMs, unauthorizedTtlMs, failurePolicy, logger } = this.#options;
    const body = { kind: "SubjectAccessReview", apiVersion: "authorization.k8s.io/v1", metadata: {}, spec };
    try {
      const { status } = await postReview(client, server, { body, timeoutMs });
      const decision = decisionOf(isJsonObject(status) ? status : {});
      this.#cache.set(key, decision, decision.kind === "allowed" ? authorizedTtlMs : unauthorizedTtlMs);
      return decision;
    } catch (error) {
      logger.error("Failed to make webhook authorizer request", { error: describeError(error) });
      return { kind: failurePolicy === "Deny" ? "denied" : "noOpinion", reason: "" };
    }
  }
}

function decisionOf({ allowed, denied, reason }: JsonObject): Decision {
  const why = typeof reason === "string" ? reason : "";
  if (denied === true && allowed !== true) return { kind: "denied", reason: why };
  return { kind: allowed === true && denied !== true ? "allowed" : "noOpinion", reason: why };
}

function specOf({ user, request }: AccessRequest): JsonObject {
  return { ...userFields(user), ...attributesOf(request) };
}

const userFields = ({ name, uid, groups, extra }: UserInfo): JsonObject => ({
  user: name,
  ...(uid === undefined ? {} : { uid }),
  groups: [...groups],
  ...(extra === undefined
    ? {}
    : { extra: Object.fromEntries(Object.entries(extra).map(([key, list]) => [key, [...list]])) }),
});

function attributesOf(request: Access): JsonObject {
  if (request.kind === "path") return { nonResourceAttributes: { path: request.path, verb: request.verb } };
  const { verb, group, version, plural, namespace, name, subresource } = request;
  return {
    resourceAttributes: {
      verb,
      ...given({ namespace, group, version }),
      resource: plural,
      ...given({ subresource, name }),
      ...selectors(request),
    },
  };
}

const given = (fields: Readonly<Record<string, string | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value ? [[key, value]] : [])));

/** Webhooks are told of selectors by their terms. Those that cannot be read are left out: the request is the wider for it. */
function selectors({ fieldSelector, labelSelector }: RequestSelectors): JsonObject {
  const fields = fieldSelector === undefined ? undefined : readable(() => fieldTerms(fieldSelector));
  const labels = labelSelector === undefined ? undefined : readable(() => labelTerms(labelSelector));
  return {
    ...(fields === undefined ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels === undefined ? {} : { labelSelector: { requirements: labels } }),
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

const fieldTerms = (text: string): JsonObject[] =>
  parseFieldSelector(text).requirements.map(({ field, operator, value }) => ({
    key: field,
    operator: operator === "=" ? "In" : "NotIn",
    values: [value],
  }));

const operators: Readonly<Record<string, string | undefined>> = {
  "=": "In",
  "==": "In",
  in: "In",
  "!=": "NotIn",
  notin: "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
};

const labelTerms = (text: string): JsonObject[] =>
  parseLabelSelector(text).requirements.flatMap(({ key, operator, values }) => {
    const named = operators[operator];
    if (named === undefined) return [];
    return [{ key, operator: named, ...(values.length === 0 ? {} : { values: [...values] }) }];
  });
