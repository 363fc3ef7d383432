import type { Overload } from "../library/overload.ts";
import type { Expression } from "../syntax/expression.ts";
import { type CelType, types } from "../types/cel-type.ts";

/** What checking found out of an expression. */
export interface Checked {
  readonly expression: Expression;
  readonly type: CelType;
  typeOf(expression: Expression): CelType;
  /** What a name stands for; `undefined` for a selection that is only that. */
  referenceOf(expression: Expression): Reference | undefined;
  /** The forms of a function that a call can turn out to be. */
  overloadsOf(expression: Expression): readonly Overload[];
  /** True when a call's target is the first part of the function's name: `math.greatest(…)`. */
  isNamespaced(expression: Expression): boolean;
}

/** A name: a variable of the environment, one of a comprehension, or a type. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "local"; readonly name: string }
  | { readonly kind: "type"; readonly type: CelType };

/** What the checker writes down as it goes. */
export class CheckNotes {
  readonly types = new Map<Expression, CelType>();
  readonly references = new Map<Expression, Reference>();
  readonly overloads = new Map<Expression, readonly Overload[]>();
  readonly namespaced = new Set<Expression>();

  finish(expression: Expression, resolve: (type: CelType) => CelType): Checked {
    const known = new Map([...this.types].map(([of, type]) => [of, resolve(type)]));
    return {
      expression,
      type: known.get(expression) ?? types.dyn,
      typeOf: (of) => known.get(of) ?? types.dyn,
      referenceOf: (of) => this.references.get(of),
      overloadsOf: (of) => this.overloads.get(of) ?? [],
      isNamespaced: (of) => this.namespaced.has(of),
    };
  }
}
