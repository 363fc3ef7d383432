import type { CompiledExpression, CompiledVariables } from "@skiff/cel";
import { type Bindings, type CelValue, costLimits, EvaluationError, lazyObject } from "@skiff/cel";

/** What an expression came to. Errors are texts, as Kubernetes words them. */
export type Outcome =
  | { readonly kind: "value"; readonly value: CelValue }
  | { readonly kind: "error"; readonly message: string };

/** The expressions of one policy used up, on one request, what they may cost together. */
export class OutOfBudget extends Error {
  override readonly name = "OutOfBudget";

  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

/** Runs expressions that share a budget and the values of variables. */
export class Evaluation {
  readonly #bindings: Bindings;
  #remaining: number;

  constructor(bindings: Bindings, variables: CompiledVariables, budget: number = costLimits.request) {
    this.#remaining = budget;
    const fields = new Map(
      variables.expressions.map(({ name, expression }) => [name, () => this.#variable(name, expression)]),
    );
    this.#bindings = { ...bindings, variables: lazyObject("kubernetes.variables", fields) };
  }

  get remaining(): number {
    return this.#remaining;
  }

  /** Throws `OutOfBudget`. */
  run(expression: CompiledExpression): Outcome {
    if (expression.kind === "invalid") return { kind: "error", message: `compilation error: ${expression.message}` };
    const result = expression.program.evaluate(this.#bindings);
    this.#charge(result.cost);
    if (result.kind === "value") return { kind: "value", value: result.value };
    return { kind: "error", message: `expression '${expression.source}' resulted in error: ${result.message}` };
  }

  #charge(cost: number): void {
    this.#remaining -= cost;
    if (this.#remaining < 0) throw new OutOfBudget();
  }

  #variable(name: string, expression: CompiledExpression): CelValue {
    const named = JSON.stringify(name);
    if (expression.kind === "invalid") {
      throw new EvaluationError(`composited variable ${named} fails to compile: ${expression.message}`);
    }
    const result = expression.program.evaluate(this.#bindings);
    this.#charge(result.cost);
    if (result.kind === "value") return result.value;
    throw new EvaluationError(`composited variable ${named} fails to evaluate: ${result.message}`);
  }
}

const noVariables: CompiledVariables = { expressions: [], types: undefined };

/** What conditions decide together. */
export type Conditions =
  | { readonly kind: "met" }
  | { readonly kind: "notMet" }
  /** Nobody says no, and somebody cannot say. */
  | { readonly kind: "error"; readonly message: string };

/** Evaluates match conditions: one that does not hold decides, whatever the others fail with. */
export function evaluateConditions(conditions: readonly CompiledExpression[], bindings: Bindings): Conditions {
  const evaluation = new Evaluation(bindings, noVariables, costLimits.matchConditions);
  const errors: string[] = [];
  try {
    for (const condition of conditions) {
      const outcome = evaluation.run(condition);
      if (outcome.kind === "error") errors.push(outcome.message);
      else if (outcome.value === false) return { kind: "notMet" };
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    return { kind: "error", message: error.message };
  }
  const [first] = errors;
  if (first === undefined) return { kind: "met" };
  return { kind: "error", message: errors.length === 1 ? first : `[${errors.join(", ")}]` };
}
