import type { CelType } from "../types/cel-type.ts";
import type { CelValue } from "../values/cel-value.ts";
import { hasType } from "../values/value-types.ts";
import { signatureOf } from "./signature.ts";

/** What a function may ask of the evaluation that calls it. */
export interface CallContext {
  /** Counts further cost. Throws when the budget is used up. */
  charge(cost: number): void;
}

/** One form of a function. */
export interface Overload {
  readonly id: string;
  readonly name: string;
  readonly member: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /** Runs it. Arguments are of the parameters' types. Throws `EvaluationError`. */
  readonly call: (parameters: readonly CelValue[], context: CallContext) => CelValue;
}

/** Declares an overload: `overload("size_string", "string.size(): int", ([text]) => …)`. */
export function overload(id: string, signature: string, call: Overload["call"]): Overload {
  return { id, ...signatureOf(signature), call };
}

/** True when values can be a call's arguments. */
export function accepts({ parameters }: Overload, values: readonly CelValue[]): boolean {
  if (values.length !== parameters.length) return false;
  for (const [index, type] of parameters.entries()) {
    const value = values[index];
    if (value === undefined || !hasType(value, type)) return false;
  }
  return true;
}

/** All forms of the functions that expressions can call, by name. */
export type FunctionTable = ReadonlyMap<string, readonly Overload[]>;

export function functionTable(...libraries: readonly (readonly Overload[])[]): FunctionTable {
  const table = new Map<string, Overload[]>();
  for (const one of libraries.flat()) {
    const known = table.get(one.name);
    if (known === undefined) table.set(one.name, [one]);
    else known.push(one);
  }
  return table;
}
