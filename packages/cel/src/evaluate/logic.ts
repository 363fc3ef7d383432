import type { CelValue } from "../values/cel-value.ts";
import { EvaluationError, noSuchOverload } from "./evaluation-error.ts";
import type { Frame } from "./frame.ts";
import type { Step } from "./planner.ts";

/** The value of one side, or what it failed with: the other side may decide all the same. */
function attempt(step: Step, frame: Frame): CelValue | EvaluationError {
  try {
    const value = step(frame);
    return typeof value === "boolean" ? value : noSuchOverload();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

/** False when either side is, whatever the other one comes to. */
export function and(left: Step, right: Step): Step {
  return (frame) => {
    const a = attempt(left, frame);
    if (a === false) return false;
    const b = attempt(right, frame);
    if (b === false) return false;
    if (a instanceof EvaluationError) throw a;
    if (b instanceof EvaluationError) throw b;
    return true;
  };
}

/** True when either side is, whatever the other one comes to. */
export function or(left: Step, right: Step): Step {
  return (frame) => {
    const a = attempt(left, frame);
    if (a === true) return true;
    const b = attempt(right, frame);
    if (b === true) return true;
    if (a instanceof EvaluationError) throw a;
    if (b instanceof EvaluationError) throw b;
    return false;
  };
}

export function conditional(condition: Step, then: Step, otherwise: Step): Step {
  return (frame) => {
    const decided = condition(frame);
    if (typeof decided !== "boolean") throw noSuchOverload();
    return decided ? then(frame) : otherwise(frame);
  };
}
