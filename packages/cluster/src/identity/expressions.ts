/** Expressions (CEL) of authentication and authorization configurations. */
import type { JsonObject, JsonValue } from "@skiff/base";
import { type CelType, celFromJson, compile, jsonFromCel, type Program, types } from "@skiff/cel";
import { badOption } from "./config-file.ts";

const texts = types.list(types.string);

/** What is known of a user when rules about it are evaluated. */
export const userType = types.object("kubernetes.UserInfo", {
  username: types.string,
  uid: types.string,
  groups: texts,
  extra: types.map(types.string, texts),
});

/** Claims may be anything. */
export const claimsType = types.map(types.string, types.dyn);

const requirement = types.object("kubernetes.SelectorRequirement", {
  key: types.string,
  operator: types.string,
  values: texts,
});
const selector = types.object("kubernetes.Selector", { requirements: types.list(requirement) });

/** A question of authorization, as webhooks are asked. */
export const questionType = types.object("kubernetes.SubjectAccessReviewSpec", {
  user: types.string,
  uid: types.string,
  groups: texts,
  extra: types.map(types.string, texts),
  resourceAttributes: types.object("kubernetes.ResourceAttributes", {
    namespace: types.string,
    verb: types.string,
    group: types.string,
    version: types.string,
    resource: types.string,
    subresource: types.string,
    name: types.string,
    fieldSelector: selector,
    labelSelector: selector,
  }),
  nonResourceAttributes: types.object("kubernetes.NonResourceAttributes", {
    path: types.string,
    verb: types.string,
  }),
});

/** An expression over one variable. */
export interface ExpressionPlace {
  readonly option: string;
  /** Where it stands, for messages. */
  readonly field: string;
  readonly variable: string;
  readonly type: CelType;
}

/** An expression, ready to be evaluated. Throws `Error` where it cannot be. */
export type Expression = (value: JsonObject) => JsonValue;

/** Compiles an expression whose result has one of the kinds that are wanted (or one that only evaluation tells). Throws `ClusterError`. */
export function expressionAt(place: ExpressionPlace, source: string, wanted: readonly CelType["kind"][]): Expression {
  const { option, field, variable, type } = place;
  const compiled = compile(source, { variables: { [variable]: type } });
  if (compiled.kind === "failed") {
    throw badOption(
      option,
      `${field}: Invalid value: ${JSON.stringify(source)}: compilation failed: ${compiled.message}`,
    );
  }
  const { program } = compiled;
  if (program.type.kind !== "dyn" && !wanted.includes(program.type.kind)) {
    throw badOption(
      option,
      `${field}: Invalid value: ${JSON.stringify(source)}: must evaluate to ${wanted.join(" or ")}`,
    );
  }
  return (value) => evaluate(program, { [variable]: celFromJson(value, type) });
}

function evaluate(program: Program, bindings: Parameters<Program["evaluate"]>[0]): JsonValue {
  const outcome = program.evaluate(bindings);
  if (outcome.kind !== "value") throw new Error(`expression '${program.source}' resulted in error: ${outcome.message}`);
  return jsonFromCel(outcome.value);
}

/** An expression that holds or does not. */
export function ruleAt(place: ExpressionPlace, source: string): (value: JsonObject) => boolean {
  const expression = expressionAt(place, source, ["bool"]);
  return (value) => expression(value) === true;
}
