import type { ComprehensionExpression, Expression } from "../syntax/expression.ts";
import { accumulator } from "../syntax/macros.ts";
import { type CelValue, isList, isMap, isObject } from "../values/cel-value.ts";
import { GrowingList, ValueMap } from "../values/collections.ts";
import { mapOfObject } from "../values/equality.ts";
import { EvaluationError, noSuchOverload } from "./evaluation-error.ts";
import type { Frame } from "./frame.ts";
import type { Planner, Step } from "./planner.ts";

/** Plans a comprehension. */
export function foldOf(
  planner: Planner,
  expression: ComprehensionExpression,
  { range, initial }: { readonly range: Step; readonly initial: Step },
): Step {
  if (isBinding(expression)) return bindingOf(planner, expression, initial);
  return planner.within(expression.accumulator, (accumulated) => {
    const result = planner.plan(expression.result);
    return planner.within(expression.variable, (first) =>
      planner.within(expression.secondVariable ?? "", (second) => {
        const condition = planner.plan(expression.condition);
        const step = planner.plan(expression.step);
        const pair = expression.secondVariable !== undefined;
        const start = startOf(expression, initial);
        return (frame) => {
          const over = range(frame);
          frame.slots[accumulated] = start(frame);
          for (const [a, b] of elements(over, pair)) {
            frame.slots[first] = a;
            frame.slots[second] = b;
            if (condition(frame) !== true) break;
            frame.slots[accumulated] = outcome(step, frame);
          }
          return finished(result(frame));
        };
      }),
    );
  });
}

/** Nobody adds in place to what a comprehension has made. */
function finished(value: CelValue): CelValue {
  if (value instanceof GrowingList) value.isGrowing = false;
  return value;
}

/** What a step comes to. A failure is kept: a later step of `exists` or `all` may still decide. */
function outcome(step: Step, frame: Frame): CelValue | EvaluationError {
  try {
    return step(frame);
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

/** Macros gather in lists and maps that nobody else sees, which may grow in place. */
function startOf(expression: ComprehensionExpression, initial: Step): Step {
  if (expression.accumulator !== accumulator) return initial;
  const empties: Readonly<Record<string, () => CelValue>> = {
    list: () => new GrowingList(),
    map: () => new ValueMap(),
  };
  const make = isEmptyLiteral(expression.initial) ? empties[expression.initial.kind] : undefined;
  if (make === undefined) return initial;
  return (frame) => {
    initial(frame);
    return make();
  };
}

const isEmptyLiteral = (expression: Expression): boolean =>
  (expression.kind === "list" && expression.elements.length === 0) ||
  (expression.kind === "map" && expression.entries.length === 0);

/** `cel.bind(name, value, body)` is a comprehension over nothing. */
export const isBinding = (expression: ComprehensionExpression): boolean =>
  expression.range.kind === "list" &&
  expression.range.elements.length === 0 &&
  expression.condition.kind === "literal" &&
  expression.condition.value === false &&
  expression.accumulator !== accumulator;

/** The value is found when it is first asked for, and then kept. */
function bindingOf(planner: Planner, expression: ComprehensionExpression, initial: Step): Step {
  return planner.within(expression.accumulator, (slot) => {
    const result = planner.plan(expression.result);
    return (frame) => {
      frame.slots[slot] = () => initial(frame);
      return result(frame);
    };
  });
}

function* elements(over: CelValue, pair: boolean): Iterable<readonly [CelValue, CelValue | undefined]> {
  if (isList(over)) {
    let index = 0n;
    for (const value of over.values()) yield pair ? [index++, value] : [value, undefined];
    return;
  }
  const map = isObject(over) ? mapOfObject(over) : over;
  if (!isMap(map)) throw noSuchOverload();
  for (const key of map.keys()) yield [key, pair ? map.get(key) : undefined];
}
