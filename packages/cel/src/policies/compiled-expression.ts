import { compile } from "../compile.ts";
import type { Program } from "../program.ts";
import { type CelType, types } from "../types/cel-type.ts";
import { type ExpressionScope, mutationType, variableTypes } from "./expression-types.ts";

/** An expression of a policy or a webhook, ready to run, or what is wrong with it in Kubernetes' words. */
export type CompiledExpression =
  | { readonly kind: "program"; readonly source: string; readonly program: Program }
  | { readonly kind: "invalid"; readonly source: string; readonly message: string };

/** Compiles one; nothing where there is none. With `mutation` it may make parts of objects and patches. */
export function compileExpression(
  given: string | undefined,
  options: ExpressionScope & { readonly results: readonly CelType[]; readonly mutation?: boolean },
): CompiledExpression {
  const source = given ?? "";
  const compiled = compile(source, {
    variables: variableTypes(options),
    resultTypes: options.results,
    ...(options.mutation === true ? { objectType: mutationType } : {}),
  });
  if (compiled.kind === "compiled") return { kind: "program", source, program: compiled.program };
  const { cause, message } = compiled;
  return { kind: "invalid", source, message: cause === "syntax" ? `compilation failed: ${message}` : message };
}

/** What the variables of a policy are made of, one after the other: each may use those before it. */
export interface CompiledVariables {
  readonly expressions: readonly { readonly name: string; readonly expression: CompiledExpression }[];
  /** `undefined` where there are none: then expressions do not know the word. */
  readonly types: Readonly<Record<string, CelType>> | undefined;
}

export function compileVariables(
  variables: readonly { readonly name: string; readonly expression?: string }[],
  scope: Omit<ExpressionScope, "variables">,
): CompiledVariables {
  const known: Record<string, CelType> = {};
  const expressions = variables.map(({ name, expression: source }) => {
    const expression = compileExpression(source, { ...scope, variables: known, results: [types.dyn] });
    known[name] = expression.kind === "program" ? expression.program.type : types.dyn;
    return { name, expression };
  });
  return { expressions, types: variables.length === 0 ? undefined : known };
}

const bool = [types.bool];

/** The conditions of a policy or a webhook. */
export const compileConditions = (
  conditions: readonly { readonly expression?: string }[],
  params: boolean,
): readonly CompiledExpression[] =>
  conditions.map(({ expression }) =>
    compileExpression(expression?.trim(), { params, authorizer: true, variables: undefined, results: bool }),
  );
