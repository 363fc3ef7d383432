import { type FieldError, fieldError } from "../../field-error.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../../generated/types/admissionregistration-v1.ts";
import { checkChoice, type Findings } from "../../validation/checks.ts";
import { checkLabelSelector } from "../../validation/labels.ts";
import { dns1035Label, dnsSubdomain } from "../../validation/names.ts";
import { checkWebhookClient } from "../../validation/webhook-client.ts";
import { checkMatchConditions } from "./policy-validation.ts";
import { checkRule } from "./rule-validation.ts";

const sideEffects = ["None", "NoneOnDryRun"];
const reviewVersions = ["v1", "v1beta1"];

/** Findings in the webhooks of a configuration. */
export function validateWebhooks(webhooks: readonly (MutatingWebhook | ValidatingWebhook)[] | undefined): FieldError[] {
  return [...checkWebhooks(webhooks ?? [])];
}

function* checkWebhooks(webhooks: readonly (MutatingWebhook | ValidatingWebhook)[]): Findings {
  const names = new Set<string>();
  for (const [index, webhook] of webhooks.entries()) {
    const field = `webhooks[${index}]`;
    yield* checkWebhook(field, webhook);
    yield* checkReviewVersions(`${field}.admissionReviewVersions`, webhook.admissionReviewVersions ?? []);
    if (!webhook.name) continue;
    if (names.has(webhook.name)) yield fieldError.duplicate(`${field}.name`, webhook.name);
    names.add(webhook.name);
  }
}

function* checkWebhook(field: string, webhook: MutatingWebhook | ValidatingWebhook): Findings {
  yield* checkQualifiedDomain(`${field}.name`, webhook.name ?? "");
  for (const [index, rule] of (webhook.rules ?? []).entries()) yield* checkRule(`${field}.rules[${index}]`, rule);
  yield* checkChoice(`${field}.failurePolicy`, webhook.failurePolicy, ["Fail", "Ignore"]);
  yield* checkChoice(`${field}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]);
  if (webhook.sideEffects === undefined) {
    yield fieldError.required(`${field}.sideEffects`, `must specify one of ${sideEffects.join(", ")}`);
  } else yield* checkChoice(`${field}.sideEffects`, webhook.sideEffects, sideEffects);
  const { timeoutSeconds: seconds } = webhook;
  if (seconds !== undefined && (seconds < 1 || seconds > 30)) {
    yield fieldError.invalid(`${field}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds");
  }
  yield* checkLabelSelector(`${field}.namespaceSelector`, webhook.namespaceSelector);
  yield* checkLabelSelector(`${field}.objectSelector`, webhook.objectSelector);
  if ("reinvocationPolicy" in webhook) {
    yield* checkChoice(`${field}.reinvocationPolicy`, webhook.reinvocationPolicy, ["IfNeeded", "Never"]);
  }
  yield* checkWebhookClient(`${field}.clientConfig`, webhook.clientConfig);
  yield* checkMatchConditions(`${field}.matchConditions`, webhook.matchConditions ?? []);
}

function* checkQualifiedDomain(field: string, name: string): Findings {
  const wrong = dnsSubdomain(name);
  if (name === "") yield fieldError.required(field);
  else if (wrong.length > 0) yield fieldError.invalid(field, name, wrong.join(","));
  else if (name.split(".").length < 3) {
    yield fieldError.invalid(field, name, "should be a domain with at least three segments separated by dots");
  }
}

function* checkReviewVersions(field: string, versions: readonly string[]): Findings {
  if (versions.length === 0) {
    yield fieldError.required(field, `must specify one of ${reviewVersions.join(", ")}`);
    return;
  }
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const here = `${field}[${index}]`;
    if (seen.has(version)) {
      yield fieldError.invalid(here, version, "duplicate version");
      continue;
    }
    seen.add(version);
    for (const why of dns1035Label(version)) yield fieldError.invalid(here, version, why);
  }
  if (!versions.some((version) => reviewVersions.includes(version))) {
    yield fieldError.invalid(field, versions, `must include at least one of ${reviewVersions.join(", ")}`);
  }
}
