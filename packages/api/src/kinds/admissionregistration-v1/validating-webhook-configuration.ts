import { defineResource } from "../../define-resource.ts";
import type { ValidatingWebhookConfiguration } from "../../generated/types/admissionregistration-v1.ts";
import { defaultWebhook, webhookColumns } from "./webhook-rules.ts";
import { validateWebhooks } from "./webhook-validation.ts";

/** `validatingwebhookconfigurations.admissionregistration.k8s.io`. */
export const ValidatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  generation: "object",
  columns: webhookColumns,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  defaults: ({ webhooks }) => webhooks?.forEach(defaultWebhook),
});
