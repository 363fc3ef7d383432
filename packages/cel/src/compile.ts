import type { Checked } from "./check/checked.ts";
import { check } from "./check/checker.ts";
import { literalArgumentIssues } from "./check/literal-arguments.ts";
import { Estimator } from "./cost/estimator.ts";
import { BudgetExceeded, EvaluationError } from "./evaluate/evaluation-error.ts";
import { Frame } from "./evaluate/frame.ts";
import { planOf } from "./evaluate/planner.ts";
import { counted, tooMuch } from "./evaluate/work.ts";
import { kubernetesFunctions } from "./library/environment.ts";
import {
  type Bindings,
  type Compilation,
  type CompileOptions,
  type CostEstimate,
  costLimits,
  type Evaluation,
  type Program,
} from "./program.ts";
import { issuesText } from "./syntax/issue.ts";
import { parse } from "./syntax/parser.ts";
import { type CelType, typeText } from "./types/cel-type.ts";

/**
 * Parses and checks an expression. Never throws.
 *
 * @example
 * const compiled = compile("self.replicas <= self.max", { variables: { self: type }, resultTypes: [types.bool] });
 * if (compiled.kind === "failed") throw refused(compiled.message);
 * compiled.program.evaluate({ self: celFromJson(object, type) });
 */
export function compile(source: string, options: CompileOptions): Compilation {
  const parsed = parse(source);
  if (parsed.kind === "failed") return syntaxFailure(source, parsed.issues);
  const result = check(parsed.expression, {
    variables: options.variables,
    functions: kubernetesFunctions,
    objectType: (name) => options.objectType?.(name),
    mixedLiterals: options.mixedLiterals ?? false,
  });
  if (result.kind === "failed") return syntaxFailure(source, result.issues);
  const { checked } = result;
  const literals = options.mixedLiterals === true ? [] : literalArgumentIssues(parsed.expression);
  if (literals.length > 0) return syntaxFailure(source, literals);
  const { resultTypes } = options;
  if (resultTypes !== undefined && !resultTypes.some((wanted) => isResult(checked.type, wanted))) {
    return { kind: "failed", cause: "result", message: mustBe(resultTypes) };
  }
  return { kind: "compiled", program: new CompiledProgram(source, checked) };
}

const syntaxFailure = (source: string, issues: Parameters<typeof issuesText>[1]): Compilation => ({
  kind: "failed",
  cause: "syntax",
  message: issuesText(source, issues),
});

/** Exactly, as Kubernetes has it: what turns out to be a bool when it runs is no bool. */
const isResult = (type: CelType, wanted: CelType): boolean =>
  wanted.kind === "dyn" || typeText(type) === typeText(wanted);

function mustBe(wanted: readonly CelType[]): string {
  const [only] = wanted;
  if (wanted.length === 1 && only !== undefined) return `must evaluate to ${typeText(only)}`;
  return `must evaluate to one of [${wanted.map((type) => (type.kind === "null" ? "null_type" : typeText(type))).join(" ")}]`;
}

class CompiledProgram implements Program {
  readonly source: string;
  readonly #checked: Checked;
  #plan: ReturnType<typeof planOf> | undefined;

  constructor(source: string, checked: Checked) {
    this.source = source;
    this.#checked = checked;
  }

  get type(): CelType {
    return this.#checked.type;
  }

  evaluate(bindings: Bindings, { budget = costLimits.expression }: { readonly budget?: number } = {}): Evaluation {
    this.#plan ??= planOf(this.#checked);
    const { step, slots } = this.#plan;
    const frame = new Frame(bindings, slots, budget);
    try {
      return { kind: "value", value: counted(() => step(frame)), cost: frame.cost };
    } catch (error) {
      // More text or deeper nesting than the machine can hold.
      if (error instanceof RangeError) return { kind: "exceeded", message: tooMuch().message, cost: frame.cost };
      if (error instanceof EvaluationError) return { kind: "failed", message: error.message, cost: frame.cost };
      if (error instanceof BudgetExceeded) return { kind: "exceeded", message: error.message, cost: frame.cost };
      throw error;
    }
  }

  estimateCost(): CostEstimate {
    return new Estimator(this.#checked).cost(this.#checked.expression);
  }
}
