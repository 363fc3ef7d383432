import {
  findDefinitionSchema,
  type KubeObject,
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  StatusError,
  type StructSchema,
} from "@skiff/api";
import { deepCopy, type JsonValue, jsonEqual } from "@skiff/base";
import {
  applyResult,
  type CompiledExpression,
  type CompiledVariables,
  compileConditions,
  compileExpression,
  compileVariables,
  jsonPatchResult,
} from "@skiff/cel";
import type { AdmissionRequest, AdmissionRound, KindName } from "../../contracts.ts";
import { asJson, asObject } from "../../encoding/object-json.ts";
import { resourceSchema } from "../../storage/resource-schema.ts";
import { convertObject, isOwnKind } from "../matching/equivalents.ts";
import { refused } from "../narrow.ts";
import { replaceContent } from "../replace-content.ts";
import { evaluateWith } from "./bindings-of-request.ts";
import type { PolicyCandidate } from "./configured-policies.ts";
import { Evaluation, evaluateConditions, OutOfBudget } from "./evaluation.ts";
import { applyToObject, type Mutated, MutationError, patchObject } from "./mutations.ts";
import { ConfigurationError, collectParams } from "./params.ts";
import type { PolicyPluginOptions } from "./policy-options.ts";
import { viewOf } from "./request-views.ts";

type Candidate = PolicyCandidate<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>;

/** What happened in a request's first round, for its second. */
export interface MutatingProgress {
  /** Policies that want to see later changes, evaluated since the last change. */
  called: Set<string>;
  /** Those that have to be evaluated again. */
  again: Set<string>;
  /** The object as the last policy left it. */
  output: JsonValue | undefined;
}

interface Place {
  readonly request: AdmissionRequest;
  readonly round: AdmissionRound;
  readonly progress: MutatingProgress;
}

/** A mutating policy, ready to be evaluated. */
export interface CompiledMutatingPolicy {
  readonly conditions: readonly CompiledExpression[];
  readonly variables: CompiledVariables;
  readonly mutations: readonly { readonly apply: boolean; readonly expression: CompiledExpression }[];
}

const known = new WeakMap<MutatingAdmissionPolicy, CompiledMutatingPolicy>();

function compiledPolicy(policy: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const found = known.get(policy) ?? compileMutatingPolicy(policy);
  known.set(policy, found);
  return found;
}

/** Compiles a policy that may still change. */
export function compileMutatingPolicy({ spec }: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const scope = { params: spec.paramKind !== undefined, authorizer: true };
  const variables = compileVariables(spec.variables ?? [], scope);
  return {
    conditions: compileConditions(spec.matchConditions ?? [], scope.params),
    variables,
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const apply = patchType === "ApplyConfiguration";
      const source = (apply ? applyConfiguration : jsonPatch)?.expression ?? "";
      const results = [apply ? applyResult : jsonPatchResult];
      const expression = compileExpression(source, { ...scope, variables: variables.types, results, mutation: true });
      return { apply, expression };
    }),
  };
}

interface PolicyFailure {
  readonly policy: string;
  readonly binding: string;
  readonly message: string;
  readonly reason: string | undefined;
}

/** Lets all policies that a request is meant by change its object. Throws 403 where one fails and failing is its policy. */
export async function mutateRequest(
  options: PolicyPluginOptions,
  place: Place,
  candidates: readonly Candidate[],
): Promise<void> {
  const { request, round, progress } = place;
  if (round.again && !jsonEqual(progress.output, request.object ?? null)) evaluateAllAgain(progress);
  const failures: PolicyFailure[] = [];
  for (const candidate of candidates) await new Turn(options, place, candidate, failures).take();
  progress.output = request.object === undefined ? null : asJson(deepCopy(request.object));
  if (failures.length > 0) throw denied(request, failures);
}

function evaluateAllAgain(progress: MutatingProgress): void {
  for (const id of progress.called) progress.again.add(id);
  progress.called = new Set();
}

function denied(request: AdmissionRequest, failures: readonly PolicyFailure[]): StatusError {
  const { status } = refused(request, "admission request denied by policy");
  const texts = failures.map(
    ({ policy, binding, message }) => `policy '${policy}' with binding '${binding}' denied request: ${message}`,
  );
  return new StatusError({
    ...status,
    message: texts[0] ?? "",
    ...(failures[0]?.reason === undefined ? {} : { reason: failures[0].reason }),
    details: { ...status.details, causes: texts.map((message) => ({ message })) },
  });
}

/** One policy's turn in one round of a request. */
class Turn {
  readonly #options: PolicyPluginOptions;
  readonly #place: Place;
  readonly #candidate: Candidate;
  readonly #failures: PolicyFailure[];

  constructor(options: PolicyPluginOptions, place: Place, candidate: Candidate, failures: PolicyFailure[]) {
    this.#options = options;
    this.#place = place;
    this.#candidate = candidate;
    this.#failures = failures;
  }

  async take(): Promise<void> {
    const { request } = this.#place;
    const { matcher, bindings } = this.#candidate;
    if ((await matcher.match(request)) === undefined) return;
    for (const { binding, matcher: bound } of bindings) {
      if (bound !== undefined && (await bound.match(request)) === undefined) continue;
      for (const params of await this.#params(binding)) await this.#evaluate(binding, params);
    }
  }

  async #params(binding: MutatingAdmissionPolicyBinding): ReturnType<typeof collectParams> {
    const { policy } = this.#candidate;
    const { namespace } = this.#place.request;
    try {
      const place = { kind: policy.spec.paramKind, ref: binding.spec.paramRef, namespace };
      return await collectParams(this.#options.table, place);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.#fail(binding, `failed to configure binding: ${error.message}`, undefined);
      return [];
    }
  }

  #fail(binding: MutatingAdmissionPolicyBinding, message: string, reason: string | undefined): void {
    const { policy } = this.#candidate;
    if (policy.spec.failurePolicy === "Ignore") return;
    this.#failures.push({ policy: policy.metadata.name, binding: binding.metadata.name, message, reason });
  }

  async #evaluate(binding: MutatingAdmissionPolicyBinding, params: KubeObject | undefined): Promise<void> {
    const { request, round, progress } = this.#place;
    const { policy, match } = this.#candidate;
    const compiled = compiledPolicy(policy);
    const view = await viewOf(this.#options, request, match);
    const decision = await evaluateWith(view, params, (values) => evaluateConditions(compiled.conditions, values));
    if (decision.kind === "error") this.#fail(binding, decision.message, "Invalid");
    if (decision.kind !== "met") return;
    const id = JSON.stringify([
      policy.metadata.name,
      binding.metadata.name,
      params?.metadata.namespace,
      params?.metadata.name,
    ]);
    if (round.again && !progress.again.has(id)) return;
    const { object } = request;
    if (object === undefined) return;
    const before = deepCopy(asJson(object));
    for (const mutation of compiled.mutations) await this.#mutate(binding, { ...mutation, params, object });
    if (!jsonEqual(before, object)) {
      evaluateAllAgain(progress);
      round.requireAgain();
    }
    if (policy.spec.reinvocationPolicy === "IfNeeded") progress.called.add(id);
  }

  async #mutate(
    binding: MutatingAdmissionPolicyBinding,
    mutation: {
      readonly apply: boolean;
      readonly expression: CompiledExpression;
      readonly params: KubeObject | undefined;
      readonly object: KubeObject;
    },
  ): Promise<void> {
    const { request } = this.#place;
    const { match, policy } = this.#candidate;
    const view = await viewOf(this.#options, request, match);
    const seen = view.object ?? mutation.object;
    try {
      const outcome = await evaluateWith(view, mutation.params, (values) =>
        new Evaluation(values, compiledPolicy(policy).variables).run(mutation.expression),
      );
      if (outcome.kind === "error") throw new MutationError(outcome.message);
      const own = isOwnKind(request);
      const schema = own ? resourceSchema(match.resource) : partSchema(match.kind);
      const mutated: Mutated = { object: deepCopy(seen), schema };
      const made = asObject((mutation.apply ? applyToObject : patchObject)(mutated, outcome.value));
      if (own) match.resource.defaults(made);
      replaceContent(mutation.object, own ? await convertObject(made, match.resource, request.resource) : made);
      this.#options.metrics.mutated({ policy: policy.metadata.name, binding: binding.metadata.name });
    } catch (error) {
      if (!(error instanceof MutationError) && !(error instanceof OutOfBudget)) throw error;
      this.#options.metrics.mutated({ policy: policy.metadata.name, binding: binding.metadata.name }, error.message);
      this.#fail(binding, error.message, "Invalid");
    }
  }
}

/** The schema of what a subresource takes: `Scale`, `Eviction`. */
function partSchema({ group, version, kind }: KindName): StructSchema {
  const schema = findDefinitionSchema(`${group === "" ? "core" : (group.split(".")[0] ?? group)}.${version}.${kind}`);
  if (schema !== undefined) return schema;
  throw new MutationError(
    `Resource kind ${group}/${version}, Kind=${kind} not found. There can be a delay between when CustomResourceDefinitions are created and when they are available.`,
  );
}
