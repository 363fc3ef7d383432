import { applyJsonPatch, conformObject, type KubeObject, type MutatingWebhook, refusals } from "@skiff/api";
import { deepCopy, describeError, isJsonObject, type JsonValue, jsonEqual } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest, AdmissionRound, ResourceTable } from "../../contracts.ts";
import { asJson, asObject } from "../../encoding/object-json.ts";
import { resourceSchema } from "../../storage/resource-schema.ts";
import { convertObject, isOwnKind, objectsIn } from "../matching/equivalents.ts";
import { replaceContent } from "../replace-content.ts";
import { callWebhook, checkDryRun, failed, type WebhookCalling, type WebhookOutcome } from "./call-webhook.ts";
import { conditionsHold } from "./conditions-hold.ts";
import { type Candidate, mutatingWebhooks } from "./configured-webhooks.ts";
import type { MatchConditions } from "./match-conditions.ts";
import { denial, type ReviewResponse } from "./review-response.ts";
import type { WebhookMetrics } from "./webhook-metrics.ts";

/** What both plugins that call webhooks are made of. */
export interface WebhookPluginOptions extends WebhookCalling {
  readonly table: ResourceTable;
  readonly metrics: WebhookMetrics;
  readonly conditions: MatchConditions;
}

/** What happened in a request's first round, for its second. */
interface Progress {
  /** Webhooks that want to see later changes, called since the last change. */
  called: Set<string>;
  /** Those that have to be called again. */
  again: Set<string>;
  /** The object as the last webhook left it. */
  output: JsonValue | undefined;
}

/** Lets webhooks change objects, one after the other, and those that ask for it once more when others changed what they saw. */
export function mutatingAdmissionWebhook(options: WebhookPluginOptions): AdmissionPlugin {
  const configured = mutatingWebhooks(options.table);
  const inProgress = new WeakMap<AdmissionRequest, Progress>();
  return {
    name: "MutatingAdmissionWebhook",
    handles: (request) => configured.anyMeant(request),
    async admit(request, round) {
      const progress = inProgress.get(request) ?? { called: new Set(), again: new Set(), output: undefined };
      inProgress.set(request, progress);
      if (round.again && !jsonEqual(progress.output, request.object ?? null)) callAllAgain(progress);
      for (const [index, candidate] of configured.candidates(request).entries()) {
        await new Turn({ options, request, round, progress, index }, candidate).take();
      }
      progress.output = request.object === undefined ? null : asJson(deepCopy(request.object));
    },
  };
}

function callAllAgain(progress: Progress): void {
  for (const id of progress.called) progress.again.add(id);
  progress.called = new Set();
}

interface Place {
  readonly options: WebhookPluginOptions;
  readonly request: AdmissionRequest;
  readonly round: AdmissionRound;
  readonly progress: Progress;
  /** Among the webhooks whose rules mean the request. */
  readonly index: number;
}

/** One webhook's turn in one round of a request. */
class Turn {
  readonly #place: Place;
  readonly #candidate: Candidate<MutatingWebhook>;

  constructor(place: Place, candidate: Candidate<MutatingWebhook>) {
    this.#place = place;
    this.#candidate = candidate;
  }

  async take(): Promise<void> {
    const { options, request, round, progress } = this.#place;
    const { webhook, matcher, id } = this.#candidate;
    const match = await matcher.match(request);
    if (match === undefined || !(await conditionsHold(options, this.#candidate, { request, match, type: "admit" })))
      return;
    if (round.again && !progress.again.has(id)) return;
    const startedMs = options.clock.monotonic();
    const observe = (rejected: boolean, code: number, error?: string) =>
      options.metrics.observe({
        name: webhook.name,
        type: "admit",
        operation: request.operation,
        rejected,
        code,
        seconds: (options.clock.monotonic() - startedMs) / 1000,
        ...(error === undefined ? {} : { error }),
      });
    try {
      checkDryRun(webhook, request.dryRun);
      const objects = await objectsIn(request, match.resource);
      const called = await callWebhook(options, webhook, { request, match, ...objects, mutating: true });
      const outcome = called.kind === "answered" ? await this.#apply(called.response, match.resource) : called;
      if (webhook.reinvocationPolicy === "IfNeeded") progress.called.add(id);
      this.#conclude(outcome, observe);
    } catch (error) {
      if (!(error instanceof Concluded)) observe(true, 0, "apiserver_internal_error");
      throw error instanceof Concluded ? error.refusal : error;
    }
  }

  #conclude(outcome: WebhookOutcome, observe: (rejected: boolean, code: number, error?: string) => void): void {
    const { options, request, round, index } = this.#place;
    const { webhook } = this.#candidate;
    if (outcome.kind === "failed") {
      const open = webhook.failurePolicy === "Ignore";
      observe(!open, outcome.code, open ? undefined : "calling_webhook_error");
      if (!open) throw new Concluded(refusals.internal(outcome.message));
      options.metrics.failedOpen(webhook.name, "admit");
      const key = `failed-open.mutation.webhook.admission.k8s.io/round_${round.again ? 1 : 0}_index_${index}`;
      request.annotate?.(key, webhook.name);
      return;
    }
    const { response } = outcome;
    if (!response.allowed) {
      const refusal = denial(webhook.name, response.result);
      observe(true, refusal.code, "no_error");
      throw new Concluded(refusal);
    }
    observe(false, 200);
  }

  /** Takes over what an answer says and changes. */
  async #apply(response: ReviewResponse, version: AdmissionRequest["resource"]): Promise<WebhookOutcome> {
    const { request, round, progress, index } = this.#place;
    const { webhook, configuration } = this.#candidate;
    for (const [key, text] of Object.entries(response.auditAnnotations)) {
      request.annotate?.(`${webhook.name}/${key}`, text);
    }
    for (const warning of response.warnings) request.warn(warning);
    const answered = { kind: "answered", response } as const;
    const mark = (mutated: boolean) =>
      request.annotate?.(
        `mutation.webhook.admission.k8s.io/round_${round.again ? 1 : 0}_index_${index}`,
        JSON.stringify({ configuration, webhook: webhook.name, mutated }),
      );
    if (!response.allowed || response.patch === undefined) {
      mark(false);
      return answered;
    }
    const patch = parsedPatch(response.patch);
    if (patch === undefined) {
      mark(false);
      return failed(
        webhook,
        "received undecodable patch in webhook response: the patch is not a list of operations",
        503,
      );
    }
    if (patch.length === 0) {
      mark(false);
      return answered;
    }
    const { object } = request;
    if (object === undefined) {
      throw refusals.internal(
        `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
      );
    }
    if (response.patchType !== "JSONPatch") {
      return failed(webhook, `unsupported patch type ${JSON.stringify(response.patchType)}`, 400);
    }
    const patched = await this.#patched(object, patch, version);
    const changed = !jsonEqual(patched, object);
    mark(changed);
    if (changed) {
      replaceContent(object, patched);
      callAllAgain(progress);
      round.requireAgain();
    }
    return answered;
  }

  /** The object that a patch makes, which was written for the version that the webhook saw. */
  async #patched(
    object: KubeObject,
    patch: readonly JsonValue[],
    version: AdmissionRequest["resource"],
  ): Promise<KubeObject> {
    const { request } = this.#place;
    const own = isOwnKind(request);
    const seen = own ? await convertObject(object, request.resource, version) : object;
    try {
      const value = applyJsonPatch(deepCopy(asJson(seen)), [...patch]);
      if (!isJsonObject(value)) throw new Error("the patched value is not an object");
      if (!own) return asObject(value);
      conformObject(value, resourceSchema(version));
      const made = asObject(value);
      version.defaults(made);
      return await convertObject(made, version, request.resource);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw refusals.internal(cause instanceof Error ? cause.message : describeError(cause));
    }
  }
}

/** A refusal that has been counted. */
class Concluded extends Error {
  readonly refusal: Error;

  constructor(refusal: Error) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

function parsedPatch(text: string): readonly JsonValue[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
