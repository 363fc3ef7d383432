import { deepCopy, isJsonObject, type JsonObject } from "@skiff/base";
import { duplicateItems } from "../../custom-resources/list-types.ts";
import { prune } from "../../custom-resources/settle.ts";
import { structuralSchema } from "../../custom-resources/structural-schema.ts";
import { validateValue } from "../../custom-resources/validate-value.ts";
import { fieldError } from "../../field-error.ts";
import type { Findings } from "../../validation/checks.ts";

interface DefaultContext {
  /** Right below the root or an embedded resource: type and metadata have no defaults. */
  readonly isResource: boolean;
  /** Why there can be no default here; empty where there can. */
  readonly forbidden: string;
}

/** Findings in the defaults of a schema: each must be valid where it would be filled in. */
export function* checkDefaults(
  field: string,
  schema: JsonObject,
  context: DefaultContext = { isResource: true, forbidden: "" },
): Findings {
  const { properties, items, additionalProperties: additional } = schema;
  if (schema.default !== undefined && schema.default !== null) {
    if (context.forbidden !== "")
      yield fieldError.forbidden(`${field}.default`, `must not be set ${context.forbidden}`);
    else yield* checkDefault(`${field}.default`, schema);
  }
  const isResource = context.isResource || schema["x-kubernetes-embedded-resource"] === true;
  const inside = { isResource: false, forbidden: context.forbidden };
  for (const [name, member] of isJsonObject(properties) ? Object.entries(properties) : []) {
    if (!isJsonObject(member)) continue;
    const forbidden = isResource && name === "metadata" ? "in top-level metadata" : context.forbidden;
    yield* checkDefaults(`${field}.properties[${name}]`, member, { isResource: false, forbidden });
  }
  if (isJsonObject(items)) yield* checkDefaults(`${field}.items`, items, inside);
  if (isJsonObject(additional)) yield* checkDefaults(`${field}.additionalProperties`, additional, inside);
}

function* checkDefault(field: string, json: JsonObject): Findings {
  const schema = structuralSchema(json);
  const value = json.default;
  if (value === undefined) return;
  const copy = deepCopy(value);
  if (prune(copy, schema, schema.embedded)) {
    yield fieldError.invalid(field, value, "must not have unknown fields");
    return;
  }
  for (const finding of validateValue({ value, path: "", old: undefined }, schema)) {
    yield { ...finding, field: finding.field === "" ? field : `${field}.${finding.field}` };
  }
  for (const finding of duplicateItems(value, field, schema)) yield finding;
}
