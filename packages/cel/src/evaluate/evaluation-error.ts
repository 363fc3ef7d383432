/** What an expression fails with while it runs. `message` as CEL words it. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}

/** An evaluation used up what it may cost. No operator hides this. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
}

export const noSuchOverload = (): EvaluationError => new EvaluationError("no such overload");
export const noSuchKey = (key: string): EvaluationError => new EvaluationError(`no such key: ${key}`);
