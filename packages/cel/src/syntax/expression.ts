import type { Uint } from "../values/uint.ts";

/** What a literal can say. Whole numbers are `bigint`, doubles `number`. */
export type Literal = null | boolean | bigint | number | string | Uint | Uint8Array;

/** A parsed expression with its macros expanded. `at` is the code point that messages point to. */
export type Expression =
  | LiteralExpression
  | IdentifierExpression
  | SelectExpression
  | CallExpression
  | ListExpression
  | MapExpression
  | StructExpression
  | ComprehensionExpression;

interface Node {
  readonly at: number;
}

export interface LiteralExpression extends Node {
  readonly kind: "literal";
  readonly value: Literal;
}

/** A variable, a type's name, or the first part of a dotted one. */
export interface IdentifierExpression extends Node {
  readonly kind: "identifier";
  /** With a leading dot where the source has one: then comprehension variables do not hide it. */
  readonly name: string;
}

/** `operand.field`; with `testOnly` it is `has(operand.field)`. */
export interface SelectExpression extends Node {
  readonly kind: "select";
  readonly operand: Expression;
  readonly field: string;
  readonly testOnly: boolean;
}

/** Functions, methods and operators; operators have CEL's names for them (`_+_`). */
export interface CallExpression extends Node {
  readonly kind: "call";
  readonly function: string;
  readonly target: Expression | undefined;
  readonly arguments: readonly Expression[];
}

export interface ListExpression extends Node {
  readonly kind: "list";
  readonly elements: readonly Expression[];
  /** Which elements are `?element`: left out where the optional has no value. */
  readonly optional: ReadonlySet<number>;
}

export interface MapExpression extends Node {
  readonly kind: "map";
  readonly entries: readonly {
    readonly key: Expression;
    readonly value: Expression;
    readonly optional: boolean;
    readonly at: number;
  }[];
}

/** `Object.spec{replicas: 1}`. */
export interface StructExpression extends Node {
  readonly kind: "struct";
  readonly typeName: string;
  readonly fields: readonly {
    readonly name: string;
    readonly value: Expression;
    readonly optional: boolean;
    readonly at: number;
  }[];
}

/** A fold over a list or a map: what macros like `all` and `map` become. */
export interface ComprehensionExpression extends Node {
  readonly kind: "comprehension";
  readonly variable: string;
  /** With two variables the first is the index or key, the second the value. */
  readonly secondVariable: string | undefined;
  readonly range: Expression;
  readonly accumulator: string;
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}
