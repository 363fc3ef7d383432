import type { MutatingWebhook, ValidatingWebhook } from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import type { Match } from "../matching/request-matcher.ts";
import type { Candidate } from "./configured-webhooks.ts";
import type { WebhookPluginOptions } from "./mutating-webhooks.ts";

/** Whether a webhook's conditions let it be called, counting where they do not. */
export async function conditionsHold(
  { conditions, metrics }: Pick<WebhookPluginOptions, "conditions" | "metrics">,
  candidate: Candidate<MutatingWebhook | ValidatingWebhook>,
  on: { readonly request: AdmissionRequest; readonly match: Match; readonly type: "admit" | "validating" },
): Promise<boolean> {
  const { name } = candidate.webhook;
  const { operation } = on.request;
  try {
    const holds = await conditions.hold(candidate, on);
    if (!holds) metrics.excluded(name, on.type, operation);
    return holds;
  } catch (error) {
    metrics.conditionError(name, on.type, operation);
    throw error;
  }
}
