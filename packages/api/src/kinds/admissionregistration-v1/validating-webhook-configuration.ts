import { defineResource } from "../../define-resource.ts";
import type { ValidatingWebhookConfiguration } from "../../generated/types/admissionregistration-v1.ts";
import { defaultWebhook, webhookColumns } from "./webhook-rules.ts";

/** `validatingwebhookconfigurations.admissionregistration.k8s.io`. */
export const ValidatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  generation: "object",
  columns: webhookColumns,
  defaults: ({ webhooks }) => webhooks?.forEach(defaultWebhook),
});
