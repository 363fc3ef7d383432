import type { ValidatingAdmissionPolicy, Validation } from "@skiff/api";
import {
  type Bindings,
  type CompiledExpression,
  type CompiledVariables,
  compileConditions,
  compileExpression,
  compileVariables,
  types,
} from "@skiff/cel";
import { Evaluation, evaluateConditions, type Outcome, OutOfBudget } from "./evaluation.ts";

/** A validating policy, ready to be evaluated. */
export interface CompiledValidatingPolicy {
  readonly conditions: readonly CompiledExpression[];
  readonly variables: CompiledVariables;
  /** Message expressions may not ask the authorizer, and neither may the variables that they use. */
  readonly messageVariables: CompiledVariables;
  readonly validations: readonly {
    readonly rule: Validation;
    readonly expression: CompiledExpression;
    readonly message: CompiledExpression | undefined;
  }[];
  readonly annotations: readonly { readonly key: string; readonly expression: CompiledExpression }[];
}

const known = new WeakMap<ValidatingAdmissionPolicy, CompiledValidatingPolicy>();

/** Compiles a policy, once for each state of it: objects of the cache are not changed. */
export function compiledValidatingPolicy(policy: ValidatingAdmissionPolicy): CompiledValidatingPolicy {
  const found = known.get(policy) ?? compilePolicy(policy);
  known.set(policy, found);
  return found;
}

/** Compiles a policy that may still change. */
export function compilePolicy({ spec }: ValidatingAdmissionPolicy): CompiledValidatingPolicy {
  const params = spec.paramKind !== undefined;
  const scope = { params, authorizer: true };
  const variables = compileVariables(spec.variables ?? [], scope);
  const full = { ...scope, variables: variables.types };
  const inMessages = { params, authorizer: false };
  const messageVariables = compileVariables(spec.variables ?? [], scope);
  return {
    conditions: compileConditions(spec.matchConditions ?? [], params),
    variables,
    messageVariables,
    validations: (spec.validations ?? []).map((rule) => ({
      rule,
      expression: compileExpression(rule.expression, { ...full, results: [types.bool] }),
      message: rule.messageExpression?.trim()
        ? compileExpression(rule.messageExpression, {
            ...inMessages,
            variables: messageVariables.types,
            results: [types.string],
          })
        : undefined,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(valueExpression?.trim(), { ...full, results: [types.string, types.null] }),
    })),
  };
}

/** What one validation found. */
export interface Denial {
  /** Of the validation in the policy. */
  readonly index: number;
  readonly message: string;
  /** A Status reason; absent: the evaluation itself failed. */
  readonly reason: string | undefined;
}

export interface Decisions {
  readonly denials: readonly Denial[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations whose expressions failed. */
  readonly annotationErrors: readonly string[];
}

const nothing: Decisions = { denials: [], annotations: [], annotationErrors: [] };
const longestMessage = 5 * 1024;

/** Evaluates a policy. What fails denies, unless the policy says that failures are ignored. */
export function decide(policy: ValidatingAdmissionPolicy, bindings: Bindings): Decisions {
  const compiled = compiledValidatingPolicy(policy);
  const ignore = policy.spec.failurePolicy === "Ignore";
  const failed = (message: string): Decisions =>
    ignore ? nothing : { ...nothing, denials: [{ index: 0, message, reason: undefined }] };
  const conditions = evaluateConditions(compiled.conditions, bindings);
  if (conditions.kind === "error") return failed(conditions.message);
  if (conditions.kind === "notMet") return nothing;
  try {
    const evaluation = new Evaluation(bindings, compiled.variables);
    const outcomes = compiled.validations.map(({ expression }) => evaluation.run(expression));
    const messages = new Messages(compiled, bindings, evaluation.remaining);
    const denials = outcomes.flatMap((outcome, index): Denial[] => {
      if (outcome.kind === "error") return ignore ? [] : [{ index, message: outcome.message, reason: undefined }];
      if (outcome.value === true) return [];
      const reason = compiled.validations[index]?.rule.reason ?? "Invalid";
      return [{ index, message: messages.of(index), reason }];
    });
    return { denials, ...annotate(compiled, bindings, ignore) };
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(error.message);
    throw error;
  }
}

/** The texts of refusals. They are made only for what is refused. */
class Messages {
  readonly #compiled: CompiledValidatingPolicy;
  readonly #evaluation: Evaluation;

  constructor(compiled: CompiledValidatingPolicy, bindings: Bindings, budget: number) {
    this.#compiled = compiled;
    this.#evaluation = new Evaluation(bindings, compiled.messageVariables, budget);
  }

  of(index: number): string {
    const validation = this.#compiled.validations[index];
    if (validation === undefined) return "";
    const { rule, message } = validation;
    const made = message === undefined ? "" : this.#made(message);
    return made || (rule.message ?? "").trim() || `failed expression: ${rule.expression.trim()}`;
  }

  /** Empty where the expression gives nothing that can be shown in one line. */
  #made(expression: CompiledExpression): string {
    try {
      const outcome = this.#evaluation.run(expression);
      if (outcome.kind === "error" || typeof outcome.value !== "string") return "";
      const text = outcome.value.trim();
      return Buffer.byteLength(text) > longestMessage || text.includes("\n") ? "" : text;
    } catch (error) {
      if (error instanceof OutOfBudget) return "";
      throw error;
    }
  }
}

function annotate(
  compiled: CompiledValidatingPolicy,
  bindings: Bindings,
  ignore: boolean,
): Pick<Decisions, "annotations" | "annotationErrors"> {
  const evaluation = new Evaluation(bindings, compiled.variables);
  const annotations: { key: string; value: string }[] = [];
  const annotationErrors: string[] = [];
  for (const { key, expression } of compiled.annotations) {
    const outcome: Outcome = evaluation.run(expression);
    if (outcome.kind === "error") annotationErrors.push(outcome.message);
    else if (typeof outcome.value === "string" && outcome.value.trim() !== "") {
      annotations.push({ key, value: outcome.value.trim() });
    }
  }
  return { annotations, annotationErrors: ignore ? [] : annotationErrors };
}
