import type { Bindings } from "../program.ts";
import type { CelValue } from "../values/cel-value.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { tooMuch } from "./work.ts";

/** A variable of a comprehension: its value, what it failed with, or how it will be found. */
export type Slot = CelValue | EvaluationError | (() => CelValue) | undefined;

/** One evaluation: values of variables, what it has cost. */
export class Frame {
  readonly #bindings: Bindings;
  /** Values that bindings gave when they were first asked, or what they failed with. */
  readonly #asked = new Map<string, CelValue | EvaluationError>();
  readonly slots: Slot[];
  readonly #budget: number;
  cost = 0;

  constructor(bindings: Bindings, slots: number, budget: number) {
    this.#bindings = bindings;
    this.slots = new Array<Slot>(slots);
    this.#budget = budget;
  }

  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#budget) throw tooMuch();
  }

  variable(name: string): CelValue {
    const bound = Object.hasOwn(this.#bindings, name) ? this.#bindings[name] : undefined;
    if (typeof bound !== "function") {
      if (bound === undefined) throw new EvaluationError(`no such attribute(s): ${name}`);
      return bound;
    }
    const known = this.#asked.get(name) ?? ask(bound);
    this.#asked.set(name, known);
    if (known instanceof EvaluationError) throw known;
    return known;
  }

  local(slot: number): CelValue {
    const value = this.slots[slot];
    if (value instanceof EvaluationError) throw value;
    if (typeof value !== "function") return value ?? null;
    const found = value();
    this.slots[slot] = found;
    return found;
  }
}

function ask(bound: () => CelValue): CelValue | EvaluationError {
  try {
    return bound();
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}
