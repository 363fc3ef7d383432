import type { CelType, ObjectType } from "./types/cel-type.ts";
import type { CelValue } from "./values/cel-value.ts";

/** What an expression may use, and what it must give. */
export interface CompileOptions {
  /** The variables by name. A variable of type `dyn` is checked when the expression runs. */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Types that the expression must have one of; absent, or `dyn` among them: any. */
  readonly resultTypes?: readonly CelType[];
  /** Object types that the expression may make by name: `Object.spec{…}`. */
  objectType?(name: string): ObjectType | undefined;
  /** Lists and maps in the source may mix types, as CEL itself allows and Kubernetes does not. */
  readonly mixedLiterals?: boolean;
}

/** An expression that was parsed and checked, or why it was not. */
export type Compilation =
  | { readonly kind: "compiled"; readonly program: Program }
  /**
   * `syntax`: `message` has CEL's text with line and mark, as in `ERROR: <input>:1:1: undeclared reference to …`;
   * `result`: the expression is sound, but of another type than it must have (`must evaluate to bool`).
   */
  | { readonly kind: "failed"; readonly cause: "syntax" | "result"; readonly message: string };

/** Values of variables; functions are called when the expression first asks, at most once an evaluation. */
export type Bindings = Readonly<Record<string, CelValue | (() => CelValue)>>;

/** How an evaluation ended. `cost` is what it used up, in CEL's units. */
export type Evaluation =
  | { readonly kind: "value"; readonly value: CelValue; readonly cost: number }
  /** `message` as CEL words it: `no such key: a`, `division by zero`. */
  | { readonly kind: "failed"; readonly message: string; readonly cost: number }
  /** More than the budget: the evaluation was stopped. */
  | { readonly kind: "exceeded"; readonly message: string; readonly cost: number };

/** The least and the most that an evaluation can cost. Nothing known of a size shows as a `max` of 2⁶⁴. */
export interface CostEstimate {
  readonly min: number;
  readonly max: number;
}

/** A compiled expression. It can be evaluated any number of times, also within another evaluation. */
export interface Program {
  readonly source: string;
  /** The type of its result. */
  readonly type: CelType;
  /** Evaluates within `budget` cost units (`costLimits.expression` where absent). Does not throw. */
  evaluate(bindings: Bindings, options?: { readonly budget?: number }): Evaluation;
  /** What an evaluation can cost, from the sizes that the variables' types allow. */
  estimateCost(): CostEstimate;
}

/** Kubernetes' limits, in CEL's cost units. */
export const costLimits = {
  /** Of one expression when it runs. */
  expression: 1_000_000,
  /** Of all expressions of one policy, or of one custom resource, on one request. */
  request: 10_000_000,
  /** Of all match conditions of one webhook or policy on one request. */
  matchConditions: 2_500_000,
  /** Of one rule in a custom resource definition, as estimated. */
  estimatedExpression: 10_000_000,
  /** Of all rules in a custom resource definition, as estimated. */
  estimatedDefinition: 100_000_000,
} as const;
