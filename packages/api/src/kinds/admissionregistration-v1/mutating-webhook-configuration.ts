import { defineResource } from "../../define-resource.ts";
import type { MutatingWebhookConfiguration } from "../../generated/types/admissionregistration-v1.ts";
import { defaultWebhook, webhookColumns } from "./webhook-rules.ts";
import { validateWebhooks } from "./webhook-validation.ts";

/** `mutatingwebhookconfigurations.admissionregistration.k8s.io`. */
export const MutatingWebhookConfigurations = defineResource<MutatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  generation: "object",
  columns: webhookColumns,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  },
});
