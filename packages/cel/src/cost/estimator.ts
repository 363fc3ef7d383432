import type { Checked } from "../check/checked.ts";
import { isBinding } from "../evaluate/fold.ts";
import type { CallExpression, ComprehensionExpression, Expression, SelectExpression } from "../syntax/expression.ts";
import { pointsIn } from "../syntax/lexer.ts";
import { type CelType, types } from "../types/cel-type.ts";
import { estimateCall, type Sized } from "./call-estimate.ts";
import { exactly, most, plus, type Range, times, total, union, unknown } from "./range.ts";

/** The sizes of a list's or map's entries. */
interface Entries {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly name: string;
  /** The declared type of what the variable stands for, where it is a part of a declared variable. */
  readonly declared: CelType | undefined;
  readonly size: Range | undefined;
  readonly entries: Entries | undefined;
}

const empty: Range = { min: most, max: 0 };

/**
 * Estimates what an expression can cost, the way Kubernetes decides whether a rule may stand in a definition: sizes come from
 * the limits of the schemas that the variables' types were made of, and from literals.
 */
export class Estimator {
  readonly #checked: Checked;
  readonly #sizes = new Map<Expression, Range>();
  readonly #entries = new Map<Expression, Entries>();
  readonly #declared = new Map<Expression, CelType>();
  readonly #locals: Local[] = [];

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  cost(expression: Expression): Range {
    switch (expression.kind) {
      case "literal":
        return exactly(0);
      case "identifier":
        return this.#name(expression, expression.name);
      case "select":
        return this.#select(expression);
      case "call":
        return this.#call(expression);
      case "list":
        return this.#list(expression, expression.elements);
      case "map": {
        const costs = expression.entries.map(({ key, value }) => plus(this.cost(key), this.cost(value)));
        const key = expression.entries.map((entry) => this.#sizeOrUnknown(entry.key)).reduce(union, empty);
        const value = expression.entries.map((entry) => this.#sizeOrUnknown(entry.value)).reduce(union, empty);
        const none = expression.entries.length === 0;
        this.#entries.set(expression, {
          container: "map",
          key: none ? exactly(0) : key,
          value: none ? exactly(0) : value,
        });
        return plus(total(costs), exactly(30));
      }
      case "struct":
        return plus(total(expression.fields.map(({ value }) => this.cost(value))), exactly(40));
      case "comprehension":
        return isBinding(expression) ? this.#binding(expression) : this.#comprehension(expression);
    }
  }

  #name(expression: Expression, name: string): Range {
    const local = this.#locals.findLast((one) => one.name === name);
    const declared = local === undefined ? this.#variableType(expression) : local.declared;
    if (declared !== undefined) this.#declared.set(expression, declared);
    return exactly(1);
  }

  #variableType(expression: Expression): CelType | undefined {
    return this.#checked.referenceOf(expression)?.kind === "variable" ? this.#checked.typeOf(expression) : undefined;
  }

  #select(expression: SelectExpression): Range {
    if (this.#checked.referenceOf(expression) !== undefined) return this.#name(expression, "");
    const operand = this.cost(expression.operand);
    if (expression.testOnly) return operand;
    const { kind } = this.#checked.typeOf(expression.operand);
    const declared = this.#declared.get(expression.operand);
    const field =
      declared?.kind === "object"
        ? declared.field(expression.field)?.type
        : declared?.kind === "map"
          ? declared.value
          : undefined;
    if (field !== undefined) this.#declared.set(expression, field);
    return kind === "map" || kind === "object" ? plus(operand, exactly(1)) : operand;
  }

  #list(expression: Expression, elements: readonly Expression[]): Range {
    const costs = elements.map((one) => this.cost(one));
    const sizes = elements.map((one) => this.#sizeOrUnknown(one));
    const value = sizes.length === 0 ? exactly(0) : sizes.reduce(union, empty);
    this.#entries.set(expression, { container: "list", key: exactly(1), value });
    return plus(total(costs), exactly(10));
  }

  #call(expression: CallExpression): Range {
    const { target } = expression;
    const member = target !== undefined && !this.#checked.isNamespaced(expression);
    const operands = member ? [target, ...expression.arguments] : expression.arguments;
    const costs = operands.map((one) => this.cost(one));
    const [first, second, third] = costs;
    const [a, b, c] = operands;
    if (expression.function === "dyn" && a !== undefined) {
      this.#copySizes(expression, a);
      return plus(exactly(1), total(costs));
    }
    if ((expression.function === "_&&_" || expression.function === "_||_") && first !== undefined) {
      this.#sizes.set(expression, exactly(1));
      return { min: first.min, max: total(costs).max };
    }
    if (expression.function === "_?_:_" && first && second && third && b && c) {
      this.#sizes.set(expression, union(this.#sizeOrUnknown(b), this.#sizeOrUnknown(c)));
      this.#joinEntries(expression, b, c);
      return plus(first, union(second, third));
    }
    return plus(total(costs), this.#callItself(expression, operands));
  }

  #callItself(expression: CallExpression, operands: readonly Expression[]): Range {
    const parameters = operands.map((one) => this.#sized(one));
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const overload of this.#checked.overloadsOf(expression)) {
      const estimate = estimateCall(overload, parameters);
      cost = cost === undefined ? estimate.cost : union(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size);
    }
    const [first, second] = operands;
    if (expression.function === "_[_]" && first !== undefined) size = this.#indexed(expression, first) ?? size;
    if (expression.function === "_+_" && first !== undefined && second !== undefined) {
      this.#joinEntries(expression, first, second);
    }
    const known = size ?? this.#size(expression);
    if (known !== undefined) this.#sizes.set(expression, known);
    return cost ?? exactly(1);
  }

  #indexed(expression: Expression, of: Expression): Range | undefined {
    const declared = this.#declared.get(of);
    if (declared?.kind === "list") this.#declared.set(expression, declared.element);
    if (declared?.kind === "map") this.#declared.set(expression, declared.value);
    return this.#entriesOf(of)?.value;
  }

  #sized(expression: Expression): Sized {
    const declared = this.#declared.get(expression);
    const elementSize =
      declared?.kind === "list" ? sizeOfDeclared(declared.element) : (this.#entriesOf(expression)?.value ?? unknown);
    return { size: this.#sizeOrUnknown(expression), type: this.#checked.typeOf(expression), elementSize };
  }

  #comprehension(expression: ComprehensionExpression): Range {
    const before = plus(this.cost(expression.range), this.cost(expression.initial));
    const depth = this.#locals.length;
    this.#locals.push({
      name: expression.accumulator,
      declared: undefined,
      size: this.#size(expression.initial),
      entries: this.#entriesOf(expression.initial),
    });
    this.#pushVariables(expression);
    const round = plus(this.cost(expression.condition), this.cost(expression.step));
    this.#locals.length = depth + 1;
    const result = this.cost(expression.result);
    this.#locals.length = depth;
    const count = this.#sizeOrUnknown(expression.range);
    this.#keepResultSize(expression, count);
    return plus(plus(before, result), times(count, round));
  }

  #keepResultSize(expression: ComprehensionExpression, count: Range): void {
    const { initial } = expression;
    const size = initial.kind === "literal" ? this.#size(initial) : count;
    if (size !== undefined) this.#sizes.set(expression, size);
    const entries = initial.kind === "literal" ? undefined : this.#entriesOf(expression.step);
    if (entries !== undefined) this.#entries.set(expression, entries);
  }

  #pushVariables({ variable, secondVariable, range }: ComprehensionExpression): void {
    const declared = this.#declared.get(range);
    const entries = this.#entriesOf(range);
    const isList = (entries?.container ?? this.#checked.typeOf(range).kind) === "list";
    const value: Omit<Local, "name"> = {
      declared: declared?.kind === "list" ? declared.element : declared?.kind === "map" ? declared.value : undefined,
      size: entries?.value,
      entries: undefined,
    };
    const key: Omit<Local, "name"> = {
      declared: isList ? types.int : declared?.kind === "map" ? declared.key : undefined,
      size: entries?.key,
      entries: undefined,
    };
    if (secondVariable === undefined) this.#locals.push({ name: variable, ...(isList ? value : key) });
    else this.#locals.push({ name: variable, ...key }, { name: secondVariable, ...value });
  }

  #binding(expression: ComprehensionExpression): Range {
    const before = plus(this.cost(expression.range), this.cost(expression.initial));
    this.#locals.push({
      name: expression.accumulator,
      declared: this.#declared.get(expression.initial),
      size: this.#size(expression.initial),
      entries: this.#entriesOf(expression.initial),
    });
    const result = this.cost(expression.result);
    this.#locals.pop();
    this.#copySizes(expression, expression.result);
    return plus(before, result);
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#size(from);
    const entries = this.#entriesOf(from);
    const declared = this.#declared.get(from);
    if (size !== undefined) this.#sizes.set(to, size);
    if (entries !== undefined) this.#entries.set(to, entries);
    if (declared !== undefined) this.#declared.set(to, declared);
  }

  #joinEntries(to: Expression, a: Expression, b: Expression): void {
    const [x, y] = [this.#entriesOf(a), this.#entriesOf(b)];
    if (x === undefined || y === undefined) return;
    this.#entries.set(to, { container: x.container, key: union(x.key, y.key), value: union(x.value, y.value) });
  }

  #sizeOrUnknown(expression: Expression): Range {
    return this.#size(expression) ?? unknown;
  }

  #size(expression: Expression): Range | undefined {
    const known = this.#sizes.get(expression) ?? literalSize(expression);
    if (known !== undefined) return known;
    const declared = this.#declared.get(expression);
    if (declared !== undefined && declared.kind !== "dyn") return sizeOfDeclared(declared);
    if (isScalar(this.#checked.typeOf(expression))) return exactly(1);
    if (expression.kind !== "identifier") return undefined;
    return this.#locals.findLast((one) => one.name === expression.name)?.size;
  }

  #entriesOf(expression: Expression): Entries | undefined {
    const known = this.#entries.get(expression);
    if (known !== undefined || expression.kind !== "identifier") return known;
    return this.#locals.findLast((one) => one.name === expression.name)?.entries;
  }
}

/** What a schema allows. Values that have no size count as nothing, as Kubernetes has it for values that schemas declare. */
function sizeOfDeclared(type: CelType): Range {
  const bounded = "maxSize" in type ? type.maxSize : undefined;
  if (bounded !== undefined) return { min: 0, max: bounded };
  const { kind } = type;
  const open = kind === "list" || kind === "map" || kind === "string" || kind === "bytes" || kind === "dyn";
  return open ? unknown : exactly(0);
}

function literalSize(expression: Expression): Range | undefined {
  if (expression.kind === "list") return exactly(expression.elements.length);
  if (expression.kind === "map") return exactly(expression.entries.length);
  if (expression.kind !== "literal") return undefined;
  const { value } = expression;
  if (typeof value === "string") return exactly(pointsIn(value));
  return exactly(value instanceof Uint8Array ? value.length : 1);
}

function isScalar(type: CelType): boolean {
  if (type.kind === "optional") return isScalar(type.value);
  return ["bool", "double", "duration", "int", "timestamp", "uint"].includes(type.kind);
}
