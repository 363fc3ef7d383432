import { refusals, StatusError, type ValidatingWebhook } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest } from "../../contracts.ts";
import { objectsIn } from "../matching/equivalents.ts";
import type { Match } from "../matching/request-matcher.ts";
import { callWebhook, checkDryRun } from "./call-webhook.ts";
import { conditionsHold } from "./conditions-hold.ts";
import { type Candidate, validatingWebhooks } from "./configured-webhooks.ts";
import type { WebhookPluginOptions } from "./mutating-webhooks.ts";
import { denial } from "./review-response.ts";

interface Relevant {
  readonly candidate: Candidate<ValidatingWebhook>;
  readonly match: Match;
  /** Among the webhooks that are called. */
  readonly index: number;
}

/** Asks all webhooks that a finished object concerns, all at the same time. */
export function validatingAdmissionWebhook(options: WebhookPluginOptions): AdmissionPlugin {
  const configured = validatingWebhooks(options.table);
  return {
    name: "ValidatingAdmissionWebhook",
    handles: (request) => configured.anyMeant(request),
    async validate(request) {
      const relevant: Relevant[] = [];
      for (const candidate of configured.candidates(request)) {
        const match = await candidate.matcher.match(request);
        const holds =
          match !== undefined && (await conditionsHold(options, candidate, { request, match, type: "validating" }));
        if (holds) relevant.push({ candidate, match, index: relevant.length });
      }
      const refused = await Promise.all(relevant.map((one) => ask(options, request, one)));
      const first = refused.find((refusal) => refusal !== undefined);
      if (first !== undefined) throw first;
    },
  };
}

/** Calls one webhook; gives what it refuses with. */
async function ask(
  options: WebhookPluginOptions,
  request: AdmissionRequest,
  { candidate: { webhook }, match, index }: Relevant,
): Promise<Error | undefined> {
  const startedMs = options.clock.monotonic();
  const observe = (rejected: boolean, code: number, error?: string) =>
    options.metrics.observe({
      name: webhook.name,
      type: "validating",
      operation: request.operation,
      rejected,
      code,
      seconds: (options.clock.monotonic() - startedMs) / 1000,
      ...(error === undefined ? {} : { error }),
    });
  try {
    checkDryRun(webhook, request.dryRun);
    const objects = await objectsIn(request, match.resource);
    const outcome = await callWebhook(options, webhook, { request, match, ...objects, mutating: false });
    if (outcome.kind === "failed") {
      const open = webhook.failurePolicy === "Ignore";
      observe(!open, outcome.code, open ? undefined : "calling_webhook_error");
      if (!open) return refusals.internal(outcome.message);
      options.metrics.failedOpen(webhook.name, "validating");
      request.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, webhook.name);
      return undefined;
    }
    const { response } = outcome;
    for (const [key, text] of Object.entries(response.auditAnnotations)) {
      request.annotate?.(`${webhook.name}/${key}`, text);
    }
    for (const warning of response.warnings) request.warn(warning);
    if (response.allowed) {
      observe(false, 200);
      return undefined;
    }
    const refusal = denial(webhook.name, response.result);
    observe(true, refusal.code, "no_error");
    return refusal;
  } catch (error) {
    observe(true, 0, "apiserver_internal_error");
    return error instanceof StatusError ? error : refusals.internal(String(error));
  }
}
