import { type RuleText, type StructuralSchema, structuralSchema } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type CelType, compile, leastJsonBytes, mostItems, type Program, typeOfJsonSchema, types } from "@skiff/cel";

/** One rule, ready to run, or why it cannot be. */
export interface CompiledRule {
  readonly text: RuleText;
  readonly program: Program | undefined;
  /** In Kubernetes' words; empty where there is a program. */
  readonly failure: string;
  readonly usesOldSelf: boolean;
  readonly message: CompiledMessage;
}

/** The expression that makes a rule's message; nothing where it has none. */
export type CompiledMessage =
  | { readonly kind: "none" }
  | { readonly kind: "program"; readonly program: Program }
  | { readonly kind: "failed"; readonly failure: string };

/** The rules of a schema and of all below it. What has none in it has no node. */
export interface RuleNode {
  readonly schema: StructuralSchema;
  /** Of `self`; `undefined` where expressions cannot see such values. */
  readonly type: CelType | undefined;
  /** How often values like this may be in one request, where their place does not limit it. */
  readonly mostTimes: number;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  readonly items: RuleNode | undefined;
}

/** Compiles all rules of a schema. `undefined` where it has none. */
export const compileRules = (schema: JsonObject): RuleNode | undefined =>
  nodeOf(schema, structuralSchema(schema), { name: "self", resource: true });

interface Place {
  readonly name: string;
  readonly resource: boolean;
}

function nodeOf(json: JsonValue | undefined, schema: StructuralSchema, place: Place): RuleNode | undefined {
  if (!isJsonObject(json) || !hasRules(schema)) return undefined;
  const members = isJsonObject(json.properties) ? json.properties : {};
  const properties = new Map<string, RuleNode>();
  for (const [name, member] of schema.properties) {
    const node = nodeOf(members[name], member, { name: `${place.name}.${name}`, resource: member.embedded });
    if (node !== undefined) properties.set(name, node);
  }
  const { additional, items } = schema;
  const type = schema.rules.length === 0 ? undefined : typeOfJsonSchema(json, place);
  return {
    schema,
    type,
    mostTimes: mostItems(leastJsonBytes(json)),
    rules: schema.rules.map((rule) => compileRule(rule, type ?? types.dyn)),
    properties,
    additional:
      typeof additional === "object"
        ? nodeOf(json.additionalProperties, additional, { name: `${place.name}.@elem`, resource: additional.embedded })
        : undefined,
    items:
      items === undefined
        ? undefined
        : nodeOf(json.items, items, { name: `${place.name}.@idx`, resource: items.embedded }),
  };
}

/** True where a schema, or one below it, has rules. */
export function hasRules(schema: StructuralSchema): boolean {
  if (schema.rules.length > 0) return true;
  for (const member of schema.properties.values()) if (hasRules(member)) return true;
  if (typeof schema.additional === "object" && hasRules(schema.additional)) return true;
  return schema.items !== undefined && hasRules(schema.items);
}

function compileRule(text: RuleText, self: CelType): CompiledRule {
  const old = text.optionalOldSelf === true ? types.optional(self) : self;
  const compiled = compile(text.rule, { variables: { self, oldSelf: old }, resultTypes: [types.bool] });
  const failure =
    compiled.kind === "compiled"
      ? ""
      : compiled.cause === "result"
        ? "cel expression must evaluate to a bool"
        : `compilation failed: ${compiled.message}`;
  return {
    text,
    program: compiled.kind === "compiled" ? compiled.program : undefined,
    failure,
    usesOldSelf: compiled.kind === "compiled" && usesOldSelf(text.rule, self),
    message: compileMessage(text, { self, oldSelf: old }),
  };
}

/** An expression that does not compile without `oldSelf` uses it. */
const usesOldSelf = (rule: string, self: CelType): boolean =>
  rule.includes("oldSelf") && compile(rule, { variables: { self }, resultTypes: [types.bool] }).kind === "failed";

function compileMessage(
  { messageExpression }: RuleText,
  variables: Readonly<Record<string, CelType>>,
): CompiledMessage {
  if (messageExpression === undefined) return { kind: "none" };
  const compiled = compile(messageExpression, { variables, resultTypes: [types.string] });
  if (compiled.kind === "compiled") return { kind: "program", program: compiled.program };
  const failure =
    compiled.cause === "result"
      ? "messageExpression must evaluate to a string"
      : `messageExpression compilation failed: ${compiled.message}`;
  return { kind: "failed", failure };
}
