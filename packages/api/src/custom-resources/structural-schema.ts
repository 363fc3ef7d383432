/**
 * The JSON schema of a custom resource, read once into a form that pruning, defaulting and validation walk quickly.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type GoPattern, goPattern } from "./go-pattern.ts";

/** One rule of `x-kubernetes-validations`, as written. */
export interface RuleText {
  readonly rule: string;
  readonly message: string | undefined;
  readonly messageExpression: string | undefined;
  readonly reason: string | undefined;
  readonly fieldPath: string | undefined;
  readonly optionalOldSelf: boolean | undefined;
}

/** A schema and all below it. What is not said is `undefined`, empty or false. */
export interface StructuralSchema {
  readonly type: string;
  readonly nullable: boolean;
  readonly properties: ReadonlyMap<string, StructuralSchema>;
  /** Of members that `properties` does not name: their schema, or whether they may be there at all. */
  readonly additional: StructuralSchema | boolean | undefined;
  readonly items: StructuralSchema | undefined;
  readonly default: JsonValue | undefined;
  readonly preserveUnknown: boolean;
  readonly embedded: boolean;
  readonly intOrString: boolean;
  readonly listType: "atomic" | "set" | "map";
  readonly listKeys: readonly string[];
  readonly checks: ValueChecks;
  readonly allOf: readonly StructuralSchema[];
  readonly anyOf: readonly StructuralSchema[];
  readonly oneOf: readonly StructuralSchema[];
  readonly not: StructuralSchema | undefined;
  readonly rules: readonly RuleText[];
  /** Something here or below has a default. */
  readonly hasDefaults: boolean;
}

/** What a schema demands of a single value. */
export interface ValueChecks {
  readonly format: string;
  readonly enum: readonly JsonValue[] | undefined;
  readonly pattern: { readonly text: string; readonly expression: GoPattern | undefined } | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | undefined;
  readonly minItems: number | undefined;
  readonly maxItems: number | undefined;
  readonly uniqueItems: boolean;
  readonly minProperties: number | undefined;
  readonly maxProperties: number | undefined;
  readonly required: readonly string[];
}

/** Reads a schema as a CustomResourceDefinition has it. What is no schema says nothing. */
export function structuralSchema(json: JsonValue | undefined): StructuralSchema {
  const source: JsonObject = isJsonObject(json) ? json : {};
  const members = isJsonObject(source.properties) ? source.properties : {};
  const properties = new Map(
    Object.entries(members).map(([name, member]): [string, StructuralSchema] => [name, structuralSchema(member)]),
  );
  const additional = isJsonObject(source.additionalProperties)
    ? structuralSchema(source.additionalProperties)
    : booleanOf(source.additionalProperties);
  const items = isJsonObject(source.items) ? structuralSchema(source.items) : undefined;
  const listType = source["x-kubernetes-list-type"];
  const below = [...properties.values(), items, typeof additional === "object" ? additional : undefined];
  return {
    type: textOf(source.type),
    nullable: source.nullable === true,
    properties,
    additional,
    items,
    default: source.default ?? undefined,
    preserveUnknown: source["x-kubernetes-preserve-unknown-fields"] === true,
    embedded: source["x-kubernetes-embedded-resource"] === true,
    intOrString: source["x-kubernetes-int-or-string"] === true,
    listType: listType === "set" || listType === "map" ? listType : "atomic",
    listKeys: textsOf(source["x-kubernetes-list-map-keys"]),
    checks: checksOf(source),
    allOf: schemasOf(source.allOf),
    anyOf: schemasOf(source.anyOf),
    oneOf: schemasOf(source.oneOf),
    not: isJsonObject(source.not) ? structuralSchema(source.not) : undefined,
    rules: rulesOf(source["x-kubernetes-validations"]),
    hasDefaults: source.default !== undefined || below.some((schema) => schema?.hasDefaults === true),
  };
}

function checksOf(source: JsonObject): ValueChecks {
  const pattern = textOf(source.pattern);
  return {
    format: textOf(source.format),
    enum: Array.isArray(source.enum) && source.enum.length > 0 ? source.enum : undefined,
    pattern: pattern === "" ? undefined : { text: pattern, expression: compiled(pattern) },
    minLength: numberOf(source.minLength),
    maxLength: numberOf(source.maxLength),
    minimum: numberOf(source.minimum),
    maximum: numberOf(source.maximum),
    exclusiveMinimum: source.exclusiveMinimum === true,
    exclusiveMaximum: source.exclusiveMaximum === true,
    multipleOf: numberOf(source.multipleOf),
    minItems: numberOf(source.minItems),
    maxItems: numberOf(source.maxItems),
    uniqueItems: source.uniqueItems === true,
    minProperties: numberOf(source.minProperties),
    maxProperties: numberOf(source.maxProperties),
    required: textsOf(source.required),
  };
}

function compiled(text: string): GoPattern | undefined {
  const made = goPattern(text);
  return made.kind === "pattern" ? made.pattern : undefined;
}

function rulesOf(value: JsonValue | undefined): readonly RuleText[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isJsonObject).map((rule) => ({
    rule: textOf(rule.rule),
    message: optionalText(rule.message),
    messageExpression: optionalText(rule.messageExpression),
    reason: optionalText(rule.reason),
    fieldPath: optionalText(rule.fieldPath),
    optionalOldSelf: booleanOf(rule.optionalOldSelf),
  }));
}

const schemasOf = (value: JsonValue | undefined): readonly StructuralSchema[] =>
  Array.isArray(value) ? value.map((schema) => structuralSchema(schema)) : [];
const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const optionalText = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
const numberOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
const booleanOf = (value: JsonValue | undefined): boolean | undefined =>
  typeof value === "boolean" ? value : undefined;
const textsOf = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
