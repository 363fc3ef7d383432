import type { CallExpression, Expression, SelectExpression } from "./expression.ts";

/** A call that may be a macro. */
export interface MacroCall {
  readonly name: string;
  readonly target: Expression | undefined;
  readonly parameters: readonly Expression[];
  readonly at: number;
}

/** A macro that is called wrongly. */
export class MacroError extends Error {
  override readonly name = "MacroError";
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** The variable that comprehensions gather their result in. No source can name it. */
export const accumulator = "@result";

/** What a macro stands for; `undefined` when the call is none. Throws `MacroError`. */
export function expandMacro(call: MacroCall): Expression | undefined {
  const { name, target, parameters } = call;
  if (target === undefined) return name === "has" && parameters.length === 1 ? has(call) : undefined;
  if (isName(target, "cel") && name === "bind" && parameters.length === 3) return bind(call);
  const macro = macros.get(`${name}/${parameters.length}`);
  return macro?.(call, target);
}

type Macro = (call: MacroCall, target: Expression) => Expression | undefined;

const macros: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["all/2", (call, range) => quantifier(call, range, all)],
  ["all/3", (call, range) => quantifier(call, range, all)],
  ["exists/2", (call, range) => quantifier(call, range, exists)],
  ["exists/3", (call, range) => quantifier(call, range, exists)],
  ["exists_one/2", (call, range) => quantifier(call, range, existsOne)],
  ["exists_one/3", (call, range) => quantifier(call, range, existsOne)],
  ["existsOne/2", (call, range) => quantifier(call, range, existsOne)],
  ["existsOne/3", (call, range) => quantifier(call, range, existsOne)],
  ["map/2", (call, range) => mapped(call, range)],
  ["map/3", (call, range) => mapped(call, range)],
  ["filter/2", (call, range) => filtered(call, range)],
  ["transformList/3", (call, range) => transformed(call, range, listStep)],
  ["transformList/4", (call, range) => transformed(call, range, listStep)],
  ["transformMap/3", (call, range) => transformed(call, range, mapStep)],
  ["transformMap/4", (call, range) => transformed(call, range, mapStep)],
  ["transformMapEntry/3", (call, range) => transformed(call, range, entryStep)],
  ["transformMapEntry/4", (call, range) => transformed(call, range, entryStep)],
  ["optMap/2", (call, target) => optional(call, target, "optional.of")],
  ["optFlatMap/2", (call, target) => optional(call, target, undefined)],
]);

const isName = (expression: Expression, name: string): boolean =>
  expression.kind === "identifier" && expression.name === name;

const literal = (at: number, value: boolean | bigint): Expression => ({ kind: "literal", at, value });
const variable = (at: number, name: string): Expression => ({ kind: "identifier", at, name });
const result = (at: number): Expression => variable(at, accumulator);
const call = (at: number, name: string, operands: readonly Expression[]): CallExpression => ({
  kind: "call",
  at,
  function: name,
  target: undefined,
  arguments: operands,
});
const member = (
  at: number,
  name: string,
  target: Expression,
  operands: readonly Expression[] = [],
): CallExpression => ({
  kind: "call",
  at,
  function: name,
  target,
  arguments: operands,
});
const list = (at: number, elements: readonly Expression[]): Expression => ({
  kind: "list",
  at,
  elements,
  optional: new Set(),
});

function has({ parameters, at }: MacroCall): Expression {
  const [field] = parameters;
  if (field?.kind !== "select") throw new MacroError(field?.at ?? at, "invalid argument to has() macro");
  const tested: SelectExpression = { ...field, at, testOnly: true };
  return tested;
}

function bind({ parameters, at }: MacroCall): Expression {
  const [name, value, body] = parameters;
  if (name?.kind !== "identifier" || value === undefined || body === undefined) {
    throw new MacroError(name?.at ?? at, "cel.bind() variable names must be simple identifiers");
  }
  return {
    kind: "comprehension",
    at,
    variable: "#unused",
    secondVariable: undefined,
    range: list(at, []),
    accumulator: name.name,
    initial: value,
    condition: literal(at, false),
    step: variable(at, name.name),
    result: body,
  };
}

/** The variables of a comprehension macro and what follows them. */
function parts(
  macro: MacroCall,
  variables: number,
): { readonly names: string[]; readonly rest: readonly Expression[] } {
  const names = macro.parameters.slice(0, variables).map((parameter) => {
    if (parameter.kind !== "identifier" || parameter.name.startsWith(".")) {
      const isPlain = macro.name === "map" || macro.name === "filter";
      throw new MacroError(parameter.at, isPlain ? "argument is not an identifier" : "argument must be a simple name");
    }
    if (parameter.name === accumulator || parameter.name === "__result__") {
      throw new MacroError(parameter.at, "iteration variable overwrites accumulator variable");
    }
    return parameter.name;
  });
  const [first, second] = names;
  if (second !== undefined && first === second) {
    throw new MacroError(macro.parameters[1]?.at ?? macro.at, `duplicate variable name: ${second}`);
  }
  return { names, rest: macro.parameters.slice(variables) };
}

interface Fold {
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

function fold(macro: MacroCall, range: Expression, names: readonly string[], made: Fold): Expression {
  const [first = "", second] = names;
  return { kind: "comprehension", at: macro.at, variable: first, secondVariable: second, range, accumulator, ...made };
}

function quantifier(
  macro: MacroCall,
  range: Expression,
  make: (at: number, predicate: Expression) => Fold,
): Expression | undefined {
  const { names, rest } = parts(macro, macro.parameters.length - 1);
  const [predicate] = rest;
  return predicate === undefined ? undefined : fold(macro, range, names, make(macro.at, predicate));
}

const all = (at: number, predicate: Expression): Fold => ({
  initial: literal(at, true),
  condition: call(at, "@not_strictly_false", [result(at)]),
  step: call(at, "_&&_", [result(at), predicate]),
  result: result(at),
});

const exists = (at: number, predicate: Expression): Fold => ({
  initial: literal(at, false),
  condition: call(at, "@not_strictly_false", [call(at, "!_", [result(at)])]),
  step: call(at, "_||_", [result(at), predicate]),
  result: result(at),
});

const existsOne = (at: number, predicate: Expression): Fold => ({
  initial: literal(at, 0n),
  condition: literal(at, true),
  step: call(at, "_?_:_", [predicate, call(at, "_+_", [result(at), literal(at, 1n)]), result(at)]),
  result: call(at, "_==_", [result(at), literal(at, 1n)]),
});

/** The step itself, or only where the filter holds. */
const where = (at: number, filter: Expression | undefined, step: Expression): Expression =>
  filter === undefined ? step : call(at, "_?_:_", [filter, step, result(at)]);

const gather = (at: number, initial: Expression, step: Expression): Fold => ({
  initial,
  condition: literal(at, true),
  step,
  result: result(at),
});

function mapped(macro: MacroCall, range: Expression): Expression | undefined {
  const { at } = macro;
  const { names, rest } = parts(macro, 1);
  const [filter, transform] = rest.length === 2 ? rest : [undefined, rest[0]];
  if (transform === undefined) return undefined;
  const step = call(at, "_+_", [result(at), list(at, [transform])]);
  return fold(macro, range, names, gather(at, list(at, []), where(at, filter, step)));
}

function filtered(macro: MacroCall, range: Expression): Expression | undefined {
  const { at } = macro;
  const { names, rest } = parts(macro, 1);
  const [predicate] = rest;
  const [name] = names;
  if (predicate === undefined || name === undefined) return undefined;
  const step = call(at, "_+_", [result(at), list(at, [variable(at, name)])]);
  return fold(macro, range, names, gather(at, list(at, []), where(at, predicate, step)));
}

interface TransformStep {
  readonly initial: (at: number) => Expression;
  readonly step: (at: number, key: string, transform: Expression) => Expression;
}

const emptyMap = (at: number): Expression => ({ kind: "map", at, entries: [] });

const listStep: TransformStep = {
  initial: (at) => list(at, []),
  step: (at, _key, transform) => call(at, "_+_", [result(at), list(at, [transform])]),
};
const mapStep: TransformStep = {
  initial: emptyMap,
  step: (at, key, transform) => call(at, "cel.@mapInsert", [result(at), variable(at, key), transform]),
};
const entryStep: TransformStep = {
  initial: emptyMap,
  step: (at, _key, transform) => call(at, "cel.@mapInsert", [result(at), transform]),
};

function transformed(macro: MacroCall, range: Expression, made: TransformStep): Expression | undefined {
  const { at } = macro;
  const { names, rest } = parts(macro, 2);
  const [filter, transform] = rest.length === 2 ? rest : [undefined, rest[0]];
  const [key] = names;
  if (transform === undefined || key === undefined) return undefined;
  return fold(macro, range, names, gather(at, made.initial(at), where(at, filter, made.step(at, key, transform))));
}

/** `x.optMap(v, e)`: `e` with `v` bound to what `x` holds, where it holds anything. */
function optional(macro: MacroCall, target: Expression, wrap: string | undefined): Expression | undefined {
  const { at, parameters } = macro;
  const [name, body] = parameters;
  if (body === undefined) return undefined;
  if (name?.kind !== "identifier") {
    const called = wrap === undefined ? "optFlatMap" : "optMap";
    throw new MacroError(name?.at ?? at, `${called}() variable name must be a simple identifier`);
  }
  // The target is evaluated once: its value is bound before it is asked.
  const held = "@target";
  const bound: Expression = {
    kind: "comprehension",
    at,
    variable: "#unused",
    secondVariable: undefined,
    range: list(at, []),
    accumulator: name.name,
    initial: member(at, "value", variable(at, held)),
    condition: literal(at, false),
    step: variable(at, name.name),
    result: body,
  };
  const present = wrap === undefined ? bound : optionalOf(at, bound);
  return {
    kind: "comprehension",
    at,
    variable: "#unused",
    secondVariable: undefined,
    range: list(at, []),
    accumulator: held,
    initial: target,
    condition: literal(at, false),
    step: variable(at, held),
    result: call(at, "_?_:_", [member(at, "hasValue", variable(at, held)), present, optionalNone(at)]),
  };
}

const optionalOf = (at: number, value: Expression): Expression => member(at, "of", variable(at, "optional"), [value]);
const optionalNone = (at: number): Expression => member(at, "none", variable(at, "optional"));
