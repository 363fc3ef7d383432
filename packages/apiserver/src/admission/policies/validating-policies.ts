import { StatusError, type ValidatingAdmissionPolicy, type ValidatingAdmissionPolicyBinding } from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import { refused } from "../narrow.ts";
import { evaluateWith } from "./bindings-of-request.ts";
import type { PolicyCandidate } from "./configured-policies.ts";
import { ConfigurationError, collectParams } from "./params.ts";
import type { PolicyAction } from "./policy-metrics.ts";
import type { PolicyPluginOptions } from "./policy-options.ts";
import { viewOf } from "./request-views.ts";
import { type Decisions, type Denial, decide } from "./validating-decisions.ts";

type Candidate = PolicyCandidate<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>;

/** Something that refuses a request, and in whose name. */
interface Refusal {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string | undefined;
}

const longestAnnotation = 10 * 1024;

/** Asks all policies that a request is meant by. Throws what the first of them refuses with. */
export async function validateRequest(
  options: PolicyPluginOptions,
  request: AdmissionRequest,
  candidates: readonly Candidate[],
): Promise<void> {
  const refusals: Refusal[] = [];
  for (const candidate of candidates) await new Turn(options, request, candidate, refusals).take();
  const [first] = refusals;
  if (first !== undefined) throw refusal(request, first);
}

/** One policy's turn. */
class Turn {
  readonly #options: PolicyPluginOptions;
  readonly #request: AdmissionRequest;
  readonly #candidate: Candidate;
  readonly #refusals: Refusal[];
  readonly #annotations = new Map<string, string[]>();

  constructor(options: PolicyPluginOptions, request: AdmissionRequest, candidate: Candidate, refusals: Refusal[]) {
    this.#options = options;
    this.#request = request;
    this.#candidate = candidate;
    this.#refusals = refusals;
  }

  async take(): Promise<void> {
    const { policy, matcher, bindings } = this.#candidate;
    const match = await matcher.match(this.#request);
    if (match === undefined) return;
    const view = await viewOf(this.#options, this.#request, match);
    for (const { binding, matcher: bound } of bindings) {
      if (bound !== undefined && (await bound.match(this.#request)) === undefined) continue;
      const params = await this.#params(binding);
      for (const one of params) {
        this.#conclude(binding, await evaluateWith(view, one, (values) => decide(policy, values)));
      }
    }
    for (const [key, values] of this.#annotations) {
      this.#request.annotate?.(`${policy.metadata.name}/${key}`, values.join(", "));
    }
  }

  async #params(binding: ValidatingAdmissionPolicyBinding): ReturnType<typeof collectParams> {
    const { policy } = this.#candidate;
    const { namespace } = this.#request;
    const place = { kind: policy.spec.paramKind, ref: binding.spec.paramRef, namespace };
    try {
      return await collectParams(this.#options.table, place);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      if (policy.spec.failurePolicy !== "Ignore") {
        this.#refuse(binding, `failed to configure binding: ${error.message}`, undefined);
      }
      return [];
    }
  }

  #conclude(binding: ValidatingAdmissionPolicyBinding, { denials, annotations, annotationErrors }: Decisions): void {
    for (const denial of denials) {
      for (const action of binding.spec.validationActions ?? []) this.#act(action, binding, denial);
    }
    for (const { key, value } of annotations) {
      const known = this.#annotations.get(key) ?? [];
      const shown = value.slice(0, longestAnnotation);
      this.#annotations.set(key, known.includes(shown) ? known : [...known, shown]);
    }
    for (const message of annotationErrors) this.#refuse(binding, message, undefined);
  }

  #act(action: string, binding: ValidatingAdmissionPolicyBinding, { index, message, reason }: Denial): void {
    const policy = this.#candidate.policy.metadata.name;
    const { name } = binding.metadata;
    const error = reason === undefined ? message : undefined;
    const observe = (taken: PolicyAction) => this.#options.metrics.validated({ policy, binding: name }, taken, error);
    switch (action) {
      case "Deny":
        observe("deny");
        this.#refuse(binding, message, reason);
        return;
      case "Warn":
        observe("warn");
        this.#request.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${name}': ${message}`,
        );
        return;
      case "Audit": {
        observe("audit");
        const { validationActions } = binding.spec;
        const failure = { message, policy, binding: name, expressionIndex: index, validationActions };
        this.#request.annotate?.("validation.policy.admission.k8s.io/validation_failure", JSON.stringify([failure]));
      }
    }
  }

  #refuse(binding: ValidatingAdmissionPolicyBinding, message: string, reason: string | undefined): void {
    this.#refusals.push({
      policy: this.#candidate.policy.metadata.name,
      binding: binding.metadata.name,
      message,
      reason,
    });
  }
}

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413 };

function refusal(request: AdmissionRequest, { policy, binding, message, reason = "Invalid" }: Refusal): StatusError {
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const why = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = refused(request, why);
  return new StatusError({
    ...status,
    reason,
    code: codes[reason] ?? 422,
    details: { ...status.details, causes: [{ message: why }] },
  });
}
