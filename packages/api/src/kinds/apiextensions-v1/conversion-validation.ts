import { fieldError } from "../../field-error.ts";
import type { CustomResourceDefinitionSpec } from "../../generated/types/apiextensions-v1.ts";
import { checkRequiredChoice, type Findings } from "../../validation/checks.ts";
import { dns1035Label } from "../../validation/names.ts";
import { checkWebhookClient } from "../../validation/webhook-client.ts";

const knownReviews = ["v1", "v1beta1"];

/** Findings in how objects get from one version to another. The paths are those of Kubernetes' own form. */
export function* checkConversion(
  field: string,
  { conversion, preserveUnknownFields }: CustomResourceDefinitionSpec,
): Findings {
  if (conversion === undefined) return;
  const { strategy, webhook } = conversion;
  if (strategy && strategy !== "None" && preserveUnknownFields === true) {
    const message = "must be None if spec.preserveUnknownFields is true";
    yield fieldError.invalid(`${field}.strategy`, strategy, message);
  }
  yield* checkRequiredChoice(`${field}.strategy`, strategy, ["None", "Webhook"]);
  const config = `${field}.webhookClientConfig`;
  const versions = `${field}.conversionReviewVersions`;
  if (strategy === "Webhook") {
    if (webhook?.clientConfig === undefined)
      yield fieldError.required(config, "required when strategy is set to Webhook");
    else yield* checkWebhookClient(config, webhook.clientConfig);
    yield* checkReviewVersions(versions, webhook?.conversionReviewVersions ?? []);
    return;
  }
  const message = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) yield fieldError.forbidden(config, message);
  if ((webhook?.conversionReviewVersions ?? []).length > 0) yield fieldError.forbidden(versions, message);
}

function* checkReviewVersions(field: string, versions: readonly string[]): Findings {
  if (versions.length === 0) {
    yield fieldError.required(field);
    return;
  }
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const here = `${field}[${index}]`;
    const faults = dns1035Label(version);
    if (seen.has(version)) yield fieldError.invalid(here, version, "duplicate version");
    else if (faults.length > 0) yield fieldError.invalid(here, version, faults.join(","));
    seen.add(version);
  }
  if (!versions.some((version) => knownReviews.includes(version))) {
    yield fieldError.invalid(field, versions, `must include at least one of ${knownReviews.join(", ")}`);
  }
}
