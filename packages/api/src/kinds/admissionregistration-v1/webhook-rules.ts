import type {
  MatchResources,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "../../generated/types/admissionregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";

/** Fills in what both sorts of webhooks have alike. */
export function defaultWebhook(webhook: MutatingWebhook | ValidatingWebhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  webhook.rules?.forEach(defaultRule);
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
}

function defaultRule(rule: Pick<RuleWithOperations, "scope">): void {
  rule.scope ??= "*";
}

/** Fills in which objects a policy is for. */
export function defaultMatch(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  match.resourceRules?.forEach(defaultRule);
  match.excludeResourceRules?.forEach(defaultRule);
}

/** What `kubectl get` prints of webhook configurations. */
export const webhookColumns: readonly Column<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>[] = [
  {
    title: "Webhooks",
    type: "integer",
    description: "Webhooks indicates the number of webhooks registered in this configuration",
    value: ({ webhooks }) => webhooks?.length ?? 0,
  },
  age,
];
