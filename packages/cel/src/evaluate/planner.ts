import { assert, present } from "@skiff/base";
import type { Checked } from "../check/checked.ts";
import type { CallContext, Overload } from "../library/overload.ts";
import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  SelectExpression,
  StructExpression,
} from "../syntax/expression.ts";
import type { CelValue } from "../values/cel-value.ts";
import { listOf, ValueMap, ValueObject } from "../values/collections.ts";
import { costOfCall } from "./call-cost.ts";
import { dispatch } from "./dispatch.ts";
import { EvaluationError, noSuchOverload } from "./evaluation-error.ts";
import { foldOf } from "./fold.ts";
import type { Frame } from "./frame.ts";
import { and, conditional, or } from "./logic.ts";
import { fieldOf, hasField, itemOf, optionalField } from "./select.ts";

/** One step of an evaluation. Throws `EvaluationError` and `BudgetExceeded`. */
export type Step = (frame: Frame) => CelValue;

/** What CEL counts for making values. */
const listCost = 10;
const mapCost = 30;
const structCost = 40;

/** A checked expression as a function, and how many slots its comprehensions need. */
export function planOf(checked: Checked): { readonly step: Step; readonly slots: number } {
  const planner = new Planner(checked);
  return { step: planner.plan(checked.expression), slots: planner.slots };
}

export class Planner {
  readonly #checked: Checked;
  readonly #scope: { readonly name: string; readonly slot: number }[] = [];
  slots = 0;

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  plan(expression: Expression): Step {
    const reference = this.#checked.referenceOf(expression);
    if (reference !== undefined) return this.#reference(reference);
    switch (expression.kind) {
      case "literal": {
        const { value } = expression;
        return () => value;
      }
      case "identifier":
        throw new TypeError(`${expression.name} was not checked`);
      case "select":
        return this.#select(expression);
      case "call":
        return this.#call(expression);
      case "list":
        return this.#list(expression);
      case "map":
        return this.#map(expression);
      case "struct":
        return this.#struct(expression);
      case "comprehension":
        return this.#comprehension(expression);
    }
  }

  /** Runs `body` with a variable in a slot of its own. */
  within<T>(name: string, body: (slot: number) => T): T {
    const slot = this.slots++;
    this.#scope.push({ name, slot });
    try {
      return body(slot);
    } finally {
      this.#scope.pop();
    }
  }

  #reference(reference: NonNullable<ReturnType<Checked["referenceOf"]>>): Step {
    switch (reference.kind) {
      case "variable": {
        const { name } = reference;
        return (frame) => {
          frame.charge(1);
          return frame.variable(name);
        };
      }
      case "local": {
        const found = this.#scope.findLast((one) => one.name === reference.name);
        const { slot } = present(found, reference.name);
        return (frame) => {
          frame.charge(1);
          return frame.local(slot);
        };
      }
      case "type": {
        const value: CelValue = { kind: "type", type: reference.type };
        return () => value;
      }
    }
  }

  #select(expression: SelectExpression): Step {
    const operand = this.plan(expression.operand);
    const { field } = expression;
    // Kubernetes charges nothing for asking whether a field is there.
    if (expression.testOnly) return (frame) => hasField(operand(frame), field);
    return (frame) => {
      const target = operand(frame);
      frame.charge(1);
      return fieldOf(target, field);
    };
  }

  #call(expression: CallExpression): Step {
    const values = expression.arguments.map((one) => this.plan(one));
    const [first, second, third] = values;
    switch (expression.function) {
      case "_&&_":
        return and(present(first, "left"), present(second, "right"));
      case "_||_":
        return or(present(first, "left"), present(second, "right"));
      case "_?_:_":
        return conditional(present(first, "condition"), present(second, "then"), present(third, "else"));
      case "_?._":
        return this.#optionalSelect(expression, present(first, "operand"));
      case "_[_]":
        return indexed(present(first, "operand"), present(second, "index"));
      default:
        return this.#plainCall(expression, values);
    }
  }

  #optionalSelect(expression: CallExpression, operand: Step): Step {
    const field = expression.arguments[1];
    assert(field?.kind === "literal" && typeof field.value === "string", "a field's name");
    const { value } = field;
    return (frame) => {
      const target = operand(frame);
      frame.charge(1);
      return optionalField(target, value);
    };
  }

  #plainCall(expression: CallExpression, values: readonly Step[]): Step {
    const { target } = expression;
    const isMember = target !== undefined && !this.#checked.isNamespaced(expression);
    const steps = isMember ? [this.plan(target), ...values] : values;
    const overloads = this.#checked.overloadsOf(expression);
    if (expression.function === "@not_strictly_false") return notStrictlyFalse(present(steps[0], "operand"));
    const [only] = overloads;
    assert(only !== undefined, expression.function);
    return overloads.length === 1 ? callOne(only, steps) : callAny(overloads, steps);
  }

  #list(expression: ListExpression): Step {
    const steps = expression.elements.map((one) => this.plan(one));
    const { optional } = expression;
    return (frame) => {
      const values: CelValue[] = [];
      for (const [index, step] of steps.entries()) {
        const value = step(frame);
        if (!optional.has(index)) values.push(value);
        else {
          const held = heldBy(value);
          if (held !== undefined) values.push(held);
        }
      }
      frame.charge(listCost);
      return listOf(values);
    };
  }

  #map(expression: MapExpression): Step {
    const entries = expression.entries.map(({ key, value, optional }) => ({
      key: this.plan(key),
      value: this.plan(value),
      optional,
    }));
    return (frame) => {
      const map = new ValueMap();
      for (const entry of entries) {
        const key = entry.key(frame);
        const given = entry.value(frame);
        const value = entry.optional ? heldBy(given) : given;
        if (value === undefined) continue;
        if (typeof key === "number" || !map.add(key, value)) throw keyProblem(key, map);
      }
      frame.charge(mapCost);
      return map;
    };
  }

  #struct(expression: StructExpression): Step {
    const fields = expression.fields.map(({ name, value, optional }) => ({ name, value: this.plan(value), optional }));
    const type = this.#checked.typeOf(expression);
    const declared = type.kind === "object" ? type : undefined;
    return (frame) => {
      const made = new Map<string, CelValue>();
      for (const { name, value: step, optional } of fields) {
        const given = step(frame);
        const value = optional ? heldBy(given) : given;
        if (value !== undefined) made.set(declared?.field(name)?.property ?? name, value);
      }
      frame.charge(structCost);
      return new ValueObject(expression.typeName, made);
    };
  }

  #comprehension(expression: ComprehensionExpression): Step {
    const range = this.plan(expression.range);
    const initial = this.plan(expression.initial);
    return foldOf(this, expression, { range, initial });
  }
}

/** `a[i]`: what `a` turns out to be decides. An index may also be a whole `double` or a `uint`. */
function indexed(operand: Step, key: Step): Step {
  return (frame) => {
    const target = operand(frame);
    const index = key(frame);
    frame.charge(1);
    return itemOf(target, index);
  };
}

function keyProblem(key: CelValue, map: ValueMap): EvaluationError {
  if (typeof key === "number" || map.get(key) === undefined) return new EvaluationError("unsupported key type");
  return new EvaluationError(`Failed with repeated key ${typeof key === "string" ? key : String(key)}`);
}

function heldBy(value: CelValue): CelValue | undefined {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "optional") return value.value;
  throw new EvaluationError("cannot initialize optional entry from a value that is not optional");
}

/** `true` unless the operand is `false`: an error is not strictly false. */
function notStrictlyFalse(operand: Step): Step {
  return (frame) => {
    frame.charge(1);
    try {
      return operand(frame) !== false;
    } catch (error) {
      if (error instanceof EvaluationError) return true;
      throw error;
    }
  };
}

function evaluateAll(steps: readonly Step[], frame: Frame): CelValue[] {
  const values: CelValue[] = [];
  for (const step of steps) values.push(step(frame));
  return values;
}

function callOne(overload: Overload, steps: readonly Step[]): Step {
  const overloads = [overload];
  return (frame) => {
    const values = evaluateAll(steps, frame);
    const found = dispatch(overloads, values);
    if (found === undefined) throw noSuchOverload();
    return run(found, values, frame);
  };
}

function callAny(overloads: readonly Overload[], steps: readonly Step[]): Step {
  return (frame) => {
    const values = evaluateAll(steps, frame);
    const found = dispatch(overloads, values);
    if (found === undefined) throw noSuchOverload();
    return run(found, values, frame);
  };
}

function run(overload: Overload, values: readonly CelValue[], frame: Frame): CelValue {
  const context: CallContext = frame;
  // What is known to be dear before it runs is charged before, so that the budget bounds the time, too.
  const before = costOfCall(overload, values, undefined);
  if (before !== undefined) frame.charge(before);
  const result = overload.call(values, context);
  if (before === undefined) frame.charge(costOfCall(overload, values, result) ?? 1);
  return result;
}
