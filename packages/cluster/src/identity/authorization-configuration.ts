import { isJsonObject, type JsonObject } from "@skiff/base";
import { badOption, durationMs, objectsOf, textOf } from "./config-file.ts";
import { questionType, ruleAt } from "./expressions.ts";

const option = "authorization-config";

/** Who decides. */
export type AuthorizerChoice =
  | { readonly kind: "standard"; readonly name: "Node" | "RBAC" }
  | { readonly kind: "always"; readonly allows: boolean }
  | ({
      readonly kind: "webhook";
      readonly kubeconfig: string;
      /** Which questions it is asked; all where absent. */
      readonly matches?: (question: JsonObject) => boolean;
    } & WebhookTimes);

/** How long a webhook may take, and how long its decisions are remembered. */
export interface WebhookTimes {
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly failurePolicy: "NoOpinion" | "Deny";
}

/** As kube-apiserver has them where nothing is said. */
export const usualWebhookTimes: WebhookTimes = {
  timeoutMs: 30_000,
  authorizedTtlMs: 5 * 60_000,
  unauthorizedTtlMs: 30_000,
  failurePolicy: "NoOpinion",
};

/** Reads an AuthorizationConfiguration. Throws `ClusterError` for what is wrong. */
export function parseAuthorization(config: JsonObject): readonly AuthorizerChoice[] {
  const authorizers = objectsOf(config.authorizers);
  if (authorizers.length === 0) {
    throw badOption(option, "authorizers: Required value: at least one authorization mode must be defined");
  }
  return authorizers.map((authorizer, index) => choiceOf(authorizer, `authorizers[${index}]`));
}

function choiceOf({ type, webhook }: JsonObject, field: string): AuthorizerChoice {
  switch (type) {
    case "Node":
    case "RBAC":
      return { kind: "standard", name: type };
    case "AlwaysAllow":
    case "AlwaysDeny":
      return { kind: "always", allows: type === "AlwaysAllow" };
    case "Webhook":
      return webhookOf(isJsonObject(webhook) ? webhook : {}, `${field}.webhook`);
    default:
      throw badOption(option, `${field}.type: Unsupported value: ${JSON.stringify(type ?? "")}`);
  }
}

function webhookOf(webhook: JsonObject, field: string): AuthorizerChoice {
  const connection = isJsonObject(webhook.connectionInfo) ? webhook.connectionInfo : {};
  const kubeconfig = textOf(connection.kubeConfigFile);
  if (connection.type !== "KubeConfigFile" || kubeconfig === undefined) {
    throw badOption(option, `${field}.connectionInfo: only type KubeConfigFile with a kubeConfigFile is supported`);
  }
  const conditions = objectsOf(webhook.matchConditions).map(({ expression }, index) => {
    const place = `${field}.matchConditions[${index}].expression`;
    const source = textOf(expression);
    if (source === undefined) throw badOption(option, `${place}: Required value`);
    return ruleAt({ option, field: place, variable: "request", type: questionType }, source);
  });
  const { failurePolicy } = webhook;
  if (failurePolicy !== "NoOpinion" && failurePolicy !== "Deny") {
    throw badOption(option, `${field}.failurePolicy: Required value: NoOpinion or Deny`);
  }
  const time = (name: string, usualMs: number): number => {
    const text = textOf(webhook[name]);
    const found = text === undefined ? usualMs : durationMs(text);
    if (found === undefined)
      throw badOption(option, `${field}.${name}: Invalid value: ${JSON.stringify(text)}: no duration`);
    return found;
  };
  return {
    kind: "webhook",
    kubeconfig,
    failurePolicy,
    ...(conditions.length === 0 ? {} : { matches: (question) => conditions.every((holds) => holds(question)) }),
    timeoutMs: time("timeout", usualWebhookTimes.timeoutMs),
    authorizedTtlMs: time("authorizedTTL", usualWebhookTimes.authorizedTtlMs),
    unauthorizedTtlMs: time("unauthorizedTTL", usualWebhookTimes.unauthorizedTtlMs),
  };
}
