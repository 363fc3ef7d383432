import { EvaluationError } from "../evaluate/evaluation-error.ts";
import type { CelObject, CelValue } from "./cel-value.ts";

/**
 * An object whose fields are found when an expression first asks, and then kept, what they failed with (`EvaluationError`)
 * included: the variables of a policy.
 */
export function lazyObject(typeName: string, fields: ReadonlyMap<string, () => CelValue>): CelObject {
  const known = new Map<string, CelValue | EvaluationError>();
  const find = (name: string): CelValue | undefined => {
    const make = fields.get(name);
    if (make === undefined) return undefined;
    const found = known.get(name) ?? attempt(make);
    known.set(name, found);
    if (found instanceof EvaluationError) throw found;
    return found;
  };
  return {
    kind: "object",
    typeName,
    field: find,
    *entries() {
      for (const name of fields.keys()) yield [name, find(name) ?? null];
    },
  };
}

function attempt(make: () => CelValue): CelValue | EvaluationError {
  try {
    return make();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}
