/** Where the rules of custom resources come into the line of writes. The engine is loaded with the first that there are. */
import type { CustomForm, CustomResourceDefinition, FieldError, KubeObject } from "@skiff/api";
import { fieldError } from "@skiff/api";
import type { JsonObject } from "@skiff/base";
import { asJson } from "../../encoding/object-json.ts";
import type { StorageHooks } from "../../storage/storage-hooks.ts";
import type { RuleNode } from "./compile-rules.ts";

/** Findings in the rules that a definition brings. */
export async function checkDefinitionRules(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  found: readonly FieldError[],
): Promise<readonly FieldError[]> {
  const schemas: readonly unknown[] = definition.spec.versions.map(({ schema }) => schema?.openAPIV3Schema);
  // A schema that is none has no rules that could be looked at.
  if (found.length > 0 || !schemas.some((schema) => JSON.stringify(schema ?? null).includes(ruleField))) return [];
  return (await import("./definition-findings.ts")).definitionFindings(definition, old);
}

const ruleField = '"x-kubernetes-validations"';

/** Findings after which the rules of an object are not looked at: it may be of another form than they take for granted. */
const blocking: ReadonlySet<FieldError["kind"]> = new Set([
  "notSupported",
  "required",
  "tooLong",
  "tooMany",
  "typeInvalid",
]);
const notChecked =
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

/** Hooks that judge objects by the rules of their schema; none where it has none. */
export function ruleHooks(custom: CustomForm): StorageHooks {
  const { openApi } = custom;
  // To look for the word is quicker than to read a schema that nobody asked for yet.
  if (openApi === undefined || !JSON.stringify(openApi).includes(ruleField)) return {};
  const compiled = lazily(openApi);
  return {
    checksParts: true,
    async check(object: KubeObject, old: KubeObject | undefined, found: readonly FieldError[]) {
      if (found.some(({ kind }) => blocking.has(kind))) return [fieldError.invalid("<nil>", null, notChecked)];
      const { node, judge } = await compiled();
      return node === undefined ? [] : judge(node, asJson(object), old === undefined ? undefined : asJson(old));
    },
  };
}

interface Compiled {
  readonly node: RuleNode | undefined;
  readonly judge: typeof import("./rule-findings.ts").ruleFindings;
}

function lazily(schema: JsonObject): () => Promise<Compiled> {
  let made: Promise<Compiled> | undefined;
  return () => {
    made ??= Promise.all([import("./compile-rules.ts"), import("./rule-findings.ts")]).then(
      ([{ compileRules }, { ruleFindings }]) => ({ node: compileRules(schema), judge: ruleFindings }),
    );
    return made;
  };
}
