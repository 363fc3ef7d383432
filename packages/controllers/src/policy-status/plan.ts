import {
  type CustomResourceDefinition,
  definitionSchema,
  servedResources,
  type ValidatingAdmissionPolicy,
} from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import {
  type CelType,
  compileExpression,
  compileVariables,
  type ExpressionScope,
  typeOfJsonSchema,
  typeOfSchema,
  types,
} from "@skiff/cel";

/** A kind that a policy is for, with the type of its objects. */
export interface CheckedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly type: CelType;
}

/** Where a kind's schema is to be had: `undefined` where it is not. */
export interface SchemaSource {
  definition(group: string, plural: string): Promise<CustomResourceDefinition | undefined>;
  definitionOfKind(group: string, kind: string): Promise<CustomResourceDefinition | undefined>;
}

/** Kubernetes checks a policy against so many kinds at most. */
const mostKinds = 10;

const isWild = (words: readonly string[]): boolean => words.length === 0 || words.some((word) => word.includes("*"));

/** The kinds that a policy's rules name outright, in order. Wildcards name none. */
export async function kindsOf(
  policy: ValidatingAdmissionPolicy,
  source: SchemaSource,
): Promise<readonly CheckedKind[]> {
  const found = new Map<string, CheckedKind>();
  for (const rule of policy.spec.matchConstraints?.resourceRules ?? []) {
    const { apiGroups = [], apiVersions = [], resources = [] } = rule;
    if (isWild(apiGroups) || isWild(apiVersions)) continue;
    const plurals = resources.filter((plural) => !/[*/]/.test(plural));
    for (const group of [...apiGroups].sort()) {
      for (const version of [...apiVersions].sort()) {
        for (const plural of [...plurals].sort()) {
          const kind = found.size < mostKinds ? await kindAt({ group, version, plural }, source) : undefined;
          if (kind !== undefined) found.set(gvkText(kind), kind);
        }
      }
    }
  }
  return [...found.values()].sort((a, b) => (gvkKey(a) < gvkKey(b) ? -1 : 1));
}

interface Place {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

async function kindAt(place: Place, source: SchemaSource): Promise<CheckedKind | undefined> {
  const { group, version, plural } = place;
  const builtIn = servedResources().find(
    (one) => one.group === group && one.version === version && one.plural === plural,
  );
  if (builtIn !== undefined) {
    return { group, version, kind: builtIn.kind, type: typeOfSchema(definitionSchema(builtIn.schema)) };
  }
  if (group === "") return undefined;
  const definition = await source.definition(group, plural);
  return definition === undefined ? undefined : customKind(definition, version);
}

function customKind({ spec }: CustomResourceDefinition, version: string): CheckedKind | undefined {
  const found = spec.versions.find(({ name, served }) => name === version && served);
  const schema: unknown = found?.schema?.openAPIV3Schema;
  if (!isJsonObject(schema)) return undefined;
  const { kind } = spec.names;
  const metadata = typeOfSchema(definitionSchema("meta.v1.ObjectMeta"));
  const type = typeOfJsonSchema(schema, { name: kind, resource: true, metadata });
  return type === undefined ? undefined : { group: spec.group, version, kind, type };
}

/** The type of a policy's parameters, where it has some and their schema is to be had. */
export async function paramsTypeOf(
  { spec }: ValidatingAdmissionPolicy,
  source: SchemaSource,
): Promise<CelType | undefined> {
  const { apiVersion = "", kind = "" } = spec.paramKind ?? {};
  if (kind === "") return undefined;
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const found = servedResources().find((one) => one.group === group && one.version === version && one.kind === kind);
  if (found !== undefined) return typeOfSchema(definitionSchema(found.schema));
  const definition = group === "" ? undefined : await source.definitionOfKind(group, kind);
  return definition === undefined ? undefined : customKind(definition, version)?.type;
}

const gvkText = ({ group, version, kind }: Omit<CheckedKind, "type">): string => `${group}/${version}, Kind=${kind}`;
const gvkKey = ({ group, version, kind }: Omit<CheckedKind, "type">): string => `${group} ${version} ${kind}`;

/** What type checking finds in a policy's expressions: one warning for each expression, for all kinds together. */
export function expressionWarnings(
  { spec }: ValidatingAdmissionPolicy,
  kinds: readonly CheckedKind[],
  paramsType: CelType | undefined,
): { readonly fieldRef: string; readonly warning: string }[] {
  const params = spec.paramKind !== undefined;
  const check = (source: string): string =>
    kinds
      .map((kind): string => {
        const scope: Omit<ExpressionScope, "variables"> = {
          params,
          authorizer: true,
          objectType: kind.type,
          ...(paramsType === undefined ? {} : { paramsType }),
        };
        const variables = compileVariables(spec.variables ?? [], scope).types;
        const compiled = compileExpression(source, { ...scope, variables, results: [types.dyn] });
        if (compiled.kind === "program") return "";
        return `${gvkText(kind)}: ${compiled.message.replace(/^compilation failed: /, "")}\n`;
      })
      .filter((text) => text !== "")
      .join("\n");
  return (spec.validations ?? [])
    .flatMap(({ expression, messageExpression }, index) => [
      { fieldRef: `spec.validations[${index}].expression`, warning: check(expression) },
      {
        fieldRef: `spec.validations[${index}].messageExpression`,
        warning: messageExpression ? check(messageExpression) : "",
      },
    ])
    .filter(({ warning }) => warning !== "");
}
