import { present } from "@skiff/base";
import type { FunctionTable, Overload } from "../library/overload.ts";
import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  IdentifierExpression,
  ListExpression,
  MapExpression,
  SelectExpression,
  StructExpression,
} from "../syntax/expression.ts";
import type { Issue } from "../syntax/issue.ts";
import { type CelType, type ObjectType, types, typeText } from "../types/cel-type.ts";
import { Uint } from "../values/uint.ts";
import { assignAll, mostGeneral, Substitutions } from "./assignable.ts";
import { type Checked, CheckNotes } from "./checked.ts";
import { typeNamed } from "./type-names.ts";

/** What an expression is checked against. */
export interface CheckEnvironment {
  readonly variables: Readonly<Record<string, CelType>>;
  readonly functions: FunctionTable;
  objectType(name: string): ObjectType | undefined;
  /** Lists and maps in the source may hold values of several types. */
  readonly mixedLiterals: boolean;
}

export type CheckResult =
  | { readonly kind: "checked"; readonly checked: Checked }
  | { readonly kind: "failed"; readonly issues: readonly Issue[] };

/** Finds the types of an expression and of all its parts. Never throws. */
export function check(expression: Expression, environment: CheckEnvironment): CheckResult {
  return new Checker(environment).run(expression);
}

class Checker {
  readonly #environment: CheckEnvironment;
  readonly #notes = new CheckNotes();
  readonly #issues: Issue[] = [];
  /** Variables of comprehensions, the innermost last. */
  readonly #locals: { readonly name: string; readonly type: CelType }[] = [];
  #known = new Substitutions();
  #fresh = 0;

  constructor(environment: CheckEnvironment) {
    this.#environment = environment;
  }

  run(expression: Expression): CheckResult {
    this.#check(expression);
    if (this.#issues.length > 0) return { kind: "failed", issues: this.#issues };
    const known = this.#known;
    return { kind: "checked", checked: this.#notes.finish(expression, (type) => known.apply(type, "dyn")) };
  }

  #check(expression: Expression): CelType {
    const type = this.#typeOf(expression);
    this.#notes.types.set(expression, type);
    return type;
  }

  #typeOf(expression: Expression): CelType {
    switch (expression.kind) {
      case "literal":
        return literalType(expression.value);
      case "identifier":
        return this.#identifier(expression);
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

  #report(at: number, message: string): CelType {
    this.#issues.push({ at, message });
    return types.error;
  }

  #text(type: CelType): string {
    return typeText(this.#known.apply(type));
  }

  #undeclared(at: number, name: string): CelType {
    return this.#report(at, `undeclared reference to '${name.replace(/^\./, "")}' (in container '')`);
  }

  #identifier(expression: IdentifierExpression): CelType {
    return this.#named(expression, expression.name) ?? this.#undeclared(expression.at, expression.name);
  }

  /** The type of what a whole name stands for, noted as the expression's meaning. */
  #named(expression: Expression, name: string): CelType | undefined {
    const local = this.#locals.findLast((one) => one.name === name);
    if (local !== undefined) {
      this.#notes.references.set(expression, { kind: "local", name });
      return local.type;
    }
    const plain = name.replace(/^\./, "");
    const variable = Object.hasOwn(this.#environment.variables, plain) ? this.#environment.variables[plain] : undefined;
    if (variable !== undefined) {
      this.#notes.references.set(expression, { kind: "variable", name: plain });
      return variable;
    }
    const type = typeNamed(plain) ?? this.#environment.objectType(plain);
    if (type === undefined) return undefined;
    this.#notes.references.set(expression, { kind: "type", type });
    return types.type(type);
  }

  #select(expression: SelectExpression): CelType {
    const name = expression.testOnly ? undefined : qualifiedName(expression);
    const first = name?.split(".")[0];
    if (name !== undefined && !this.#locals.some((one) => one.name === first)) {
      const named = this.#named(expression, name);
      if (named !== undefined) return named;
    }
    const target = this.#known.apply(this.#check(expression.operand));
    const type = this.#fieldType(expression.at, target, expression.field);
    return expression.testOnly ? types.bool : type;
  }

  /** What selecting a field of a value gives. Of an optional value it gives an optional. */
  #fieldType(at: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "dyn":
      case "error":
        return types.dyn;
      case "parameter":
        // Nothing is known of it yet: it becomes what run time finds.
        this.#known = assignAll(this.#known, [target], [types.dyn]) ?? this.#known;
        return types.dyn;
      case "map":
        return target.value;
      case "optional": {
        const inner = this.#fieldType(at, this.#known.apply(target.value), field);
        return types.optional(inner);
      }
      case "object": {
        const found = target.field(field);
        if (found !== undefined) return found.type;
        if (target.open === true) return types.dyn;
        return this.#report(at, `undefined field '${field}'`);
      }
      default:
        return this.#report(at, `type '${this.#text(target)}' does not support field selection`);
    }
  }

  #call(expression: CallExpression): CelType {
    if (expression.function === "_?._") return this.#optionalSelect(expression);
    const { target } = expression;
    const values = expression.arguments.map((one) => this.#check(one));
    if (target === undefined) {
      const name = expression.function.replace(/^\./, "");
      return this.#resolve(expression, this.#environment.functions.get(name), values, name);
    }
    const space = qualifiedName(target);
    const named = space === undefined ? undefined : `${space.replace(/^\./, "")}.${expression.function}`;
    const namespaced = named === undefined ? undefined : this.#environment.functions.get(named);
    if (named !== undefined && namespaced !== undefined && !this.#locals.some((one) => one.name === space)) {
      this.#notes.namespaced.add(expression);
      return this.#resolve(expression, namespaced, values, named);
    }
    const receiver = this.#check(target);
    const found = this.#environment.functions.get(expression.function);
    return this.#resolve(expression, found, [receiver, ...values], expression.function);
  }

  /** Which forms of a function fit, and what they give. */
  #resolve(
    expression: CallExpression,
    overloads: readonly Overload[] | undefined,
    values: readonly CelType[],
    name: string,
  ): CelType {
    if (overloads === undefined) return this.#undeclared(expression.at, name);
    const member = expression.target !== undefined && !this.#notes.namespaced.has(expression);
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== member) continue;
      const { parameters, made } = this.#instantiate(overload);
      const known = assignAll(this.#known, values, parameters);
      if (known === undefined) continue;
      this.#known = known;
      fitting.push(overload);
      const given = known.apply(made);
      result = result === undefined || typeText(result) === typeText(given) ? given : types.dyn;
    }
    if (result === undefined) {
      return this.#report(
        expression.at,
        `found no matching overload for '${name}' applied to '${this.#signature(values, member)}'`,
      );
    }
    this.#notes.overloads.set(expression, fitting);
    return result;
  }

  #signature(values: readonly CelType[], member: boolean): string {
    const [first, ...rest] = values.map((type) => this.#text(type));
    return member ? `${first}.(${rest.join(", ")})` : `(${values.map((type) => this.#text(type)).join(", ")})`;
  }

  /** An overload whose type parameters stand for nothing yet. */
  #instantiate(overload: Overload): { readonly parameters: readonly CelType[]; readonly made: CelType } {
    const fresh = new Map<string, CelType>();
    const renew = (type: CelType): CelType => {
      switch (type.kind) {
        case "parameter": {
          const known = fresh.get(type.name) ?? this.#freshParameter();
          fresh.set(type.name, known);
          return known;
        }
        case "list":
          return types.list(renew(type.element));
        case "map":
          return types.map(renew(type.key), renew(type.value));
        case "optional":
          return types.optional(renew(type.value));
        case "type":
          return types.type(renew(type.of));
        default:
          return type;
      }
    };
    return { parameters: overload.parameters.map(renew), made: renew(overload.result) };
  }

  #freshParameter(): CelType {
    return types.parameter(`_var${this.#fresh++}`);
  }

  /** `a.?b`. */
  #optionalSelect(expression: CallExpression): CelType {
    const [operand, field] = expression.arguments;
    if (operand === undefined || field?.kind !== "literal") return types.error;
    const target = this.#known.apply(this.#check(operand));
    this.#notes.types.set(field, types.string);
    const type = this.#known.apply(this.#fieldType(expression.at, target, String(field.value)));
    return type.kind === "optional" ? type : types.optional(type);
  }

  #list(expression: ListExpression): CelType {
    let element: CelType | undefined;
    for (const [index, one] of expression.elements.entries()) {
      element = this.#join(one, element, this.#held(one, this.#check(one), expression.optional.has(index)));
    }
    return types.list(element ?? this.#freshParameter());
  }

  #map(expression: MapExpression): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expression.entries) {
      key = this.#join(entry.key, key, this.#check(entry.key));
      value = this.#join(entry.value, value, this.#held(entry.value, this.#check(entry.value), entry.optional));
    }
    return types.map(key ?? this.#freshParameter(), value ?? this.#freshParameter());
  }

  /** What an optional element contributes. */
  #held(expression: Expression, type: CelType, optional: boolean): CelType {
    if (!optional) return type;
    const applied = this.#known.apply(type);
    if (applied.kind === "optional") return applied.value;
    if (applied.kind === "dyn" || applied.kind === "error") return types.dyn;
    return this.#report(
      expression.at,
      `expected type 'optional_type(${this.#text(type)})' but found '${this.#text(type)}'`,
    );
  }

  #join(expression: Expression, previous: CelType | undefined, next: CelType): CelType {
    if (previous === undefined) return next;
    const known = assignAll(this.#known, [previous], [next]) ?? undefined;
    if (known !== undefined) {
      this.#known = known;
      return mostGeneral(previous, next);
    }
    if (this.#environment.mixedLiterals) return types.dyn;
    this.#report(expression.at, `expected type '${this.#text(previous)}' but found '${this.#text(next)}'`);
    return types.error;
  }

  #struct(expression: StructExpression): CelType {
    const name = expression.typeName.replace(/^\./, "");
    const type = this.#environment.objectType(name);
    if (type === undefined) {
      for (const { value } of expression.fields) this.#check(value);
      return this.#undeclared(expression.at, name);
    }
    for (const field of expression.fields) {
      const value = this.#held(field.value, this.#check(field.value), field.optional);
      const declared = this.#fieldType(field.at, type, field.name);
      const known = assignAll(this.#known, [value], [declared]);
      if (known !== undefined) this.#known = known;
      else {
        const expected = `expected type of field '${field.name}' is '${this.#text(declared)}'`;
        this.#report(field.at, `${expected} but provided type is '${this.#text(value)}'`);
      }
    }
    return type;
  }

  #comprehension(expression: ComprehensionExpression): CelType {
    const range = this.#known.apply(this.#check(expression.range));
    const initial = this.#check(expression.initial);
    const { first, second } = this.#elements(expression, range);
    this.#locals.push({ name: expression.accumulator, type: initial });
    const before = this.#locals.length;
    this.#locals.push({ name: expression.variable, type: first });
    if (expression.secondVariable !== undefined) this.#locals.push({ name: expression.secondVariable, type: second });
    this.#must(expression.condition, this.#check(expression.condition), types.bool);
    this.#must(expression.step, this.#check(expression.step), initial);
    this.#locals.length = before;
    const result = this.#check(expression.result);
    this.#locals.pop();
    return this.#known.apply(result);
  }

  /** The types of a comprehension's variables. */
  #elements(expression: ComprehensionExpression, range: CelType): { first: CelType; second: CelType } {
    const pair = expression.secondVariable !== undefined;
    switch (range.kind) {
      case "list":
        return pair ? { first: types.int, second: range.element } : { first: range.element, second: types.dyn };
      case "map":
        return { first: range.key, second: range.value };
      case "parameter":
        this.#known = present(assignAll(this.#known, [range], [types.dyn]), "a free parameter");
        return { first: types.dyn, second: types.dyn };
      case "dyn":
      case "error":
        return { first: types.dyn, second: types.dyn };
      default: {
        const what = `expression of type '${this.#text(range)}' cannot be range of a comprehension`;
        this.#report(expression.range.at, `${what} (must be list, map, or dynamic)`);
        return { first: types.error, second: types.error };
      }
    }
  }

  #must(expression: Expression, type: CelType, expected: CelType): void {
    const known = assignAll(this.#known, [type], [expected]);
    if (known !== undefined) this.#known = known;
    else this.#report(expression.at, `expected type '${this.#text(expected)}' but found '${this.#text(type)}'`);
  }
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case "bigint":
      return types.int;
    case "number":
      return types.double;
    case "string":
      return types.string;
    case "boolean":
      return types.bool;
    default:
      if (value === null) return types.null;
      return value instanceof Uint ? types.uint : types.bytes;
  }
}

/** `a.b.c` as one name, where an expression is that. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === "identifier") return expression.name;
  if (expression.kind !== "select" || expression.testOnly) return undefined;
  const operand = qualifiedName(expression.operand);
  return operand === undefined ? undefined : `${operand}.${expression.field}`;
}
