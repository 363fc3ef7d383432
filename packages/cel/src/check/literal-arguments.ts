import { EvaluationError } from "../evaluate/evaluation-error.ts";
import { regex } from "../library/regex.ts";
import type { CallExpression, Expression } from "../syntax/expression.ts";
import type { Issue } from "../syntax/issue.ts";
import { parseDuration, parseTimestamp } from "../values/times.ts";

/** What texts that stand in the source must be, by the function that they are given to. */
const mustBe: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["duration", (text) => parseDuration(text) !== undefined],
  ["timestamp", (text) => parseTimestamp(text) !== undefined],
  ["matches", isPattern],
]);

function isPattern(text: string): boolean {
  try {
    regex(text);
    return true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}

/** Literals that can never be what they are used as: Kubernetes refuses them before anything runs. */
export function literalArgumentIssues(expression: Expression): readonly Issue[] {
  const issues: Issue[] = [];
  const visit = (one: Expression): void => {
    if (one.kind === "call") issues.push(...issuesOf(one));
    for (const part of partsOf(one)) visit(part);
  };
  visit(expression);
  return issues;
}

function issuesOf({ function: name, arguments: given }: CallExpression): readonly Issue[] {
  const last = given.at(-1);
  const test = mustBe.get(name);
  if (test === undefined || last?.kind !== "literal" || typeof last.value !== "string" || test(last.value)) return [];
  return [{ at: last.at, message: `invalid ${name} argument` }];
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "identifier":
      return [];
    case "select":
      return [expression.operand];
    case "call":
      return expression.target === undefined ? expression.arguments : [expression.target, ...expression.arguments];
    case "list":
      return expression.elements;
    case "map":
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expression.fields.map(({ value }) => value);
    case "comprehension": {
      const { range, initial, condition, step, result } = expression;
      return [range, initial, condition, step, result];
    }
  }
}
