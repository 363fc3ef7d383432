import { type MutatingWebhook, refusals, StatusError, type ValidatingWebhook } from "@skiff/api";
import { type Clock, describeError, type Random, uuid } from "@skiff/base";
import type { WebhookClient } from "../../webhooks/webhook-client.ts";
import { admissionReview, type Review, reviewVersion } from "./admission-review.ts";
import { type ReviewResponse, reviewResponse } from "./review-response.ts";

/** What asking webhooks takes. */
export interface WebhookCalling {
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a call came to. Failures are the webhook's: its policy decides what they mean for the request. */
export type WebhookOutcome =
  | { readonly kind: "answered"; readonly response: ReviewResponse }
  | { readonly kind: "failed"; readonly message: string; readonly code: number };

const usualTimeoutSeconds = 10;
const never = new AbortController().signal;

/** Throws 400 for a dry run that the webhook is not made for. */
export function checkDryRun({ name, sideEffects }: MutatingWebhook | ValidatingWebhook, dryRun: boolean): void {
  if (!dryRun || sideEffects === "None" || sideEffects === "NoneOnDryRun") return;
  throw refusals.badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
}

/** Sends a review to a webhook and reads its answer. */
export async function callWebhook(
  calling: WebhookCalling,
  webhook: MutatingWebhook | ValidatingWebhook,
  review: Review & { readonly mutating: boolean },
): Promise<WebhookOutcome> {
  const version = reviewVersion(webhook.admissionReviewVersions);
  if (version === undefined) {
    const why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    return failed(webhook, `could not create admission objects: ${why}`, 400);
  }
  const uid = uuid(calling.random);
  const timeoutMs = (webhook.timeoutSeconds ?? usualTimeoutSeconds) * 1000;
  const body = admissionReview(version, uid, review);
  try {
    const answer = await calling.client.call(webhook.clientConfig, { body, timeoutMs, signal: never });
    try {
      return { kind: "answered", response: reviewResponse(answer, { version, uid, mutating: review.mutating }) };
    } catch (error) {
      return failed(webhook, `received invalid webhook response: ${describeError(error)}`, 503);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed(webhook, `failed to call webhook: ${message}`, error instanceof StatusError ? error.code : 503);
  }
}

/** A failure of a call, in the webhook's name. */
export const failed = ({ name }: { readonly name: string }, why: string, code: number): WebhookOutcome => ({
  kind: "failed",
  message: `failed calling webhook ${JSON.stringify(name)}: ${why}`,
  code,
});
