import { isJsonObject, type JsonValue } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import { dns1035Label } from "../validation/names.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import { memberPath } from "./validate-value.ts";

/** Findings in objects inside a custom resource that are resources themselves (`x-kubernetes-embedded-resource`). */
export function* embeddedFindings(value: JsonValue, path: string, schema: StructuralSchema): Iterable<FieldError> {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) yield* embeddedFindings(item, `${path}[${index}]`, items);
    return;
  }
  if (!isJsonObject(value)) return;
  if (schema.embedded) yield* typeFindings(value, path);
  for (const [name, member] of Object.entries(value)) {
    const { additional } = schema;
    const known = schema.properties.get(name) ?? (typeof additional === "object" ? additional : undefined);
    if (known !== undefined && member !== undefined) yield* embeddedFindings(member, memberPath(path, name), known);
  }
}

function* typeFindings(object: Readonly<Record<string, JsonValue | undefined>>, path: string): Iterable<FieldError> {
  const { apiVersion, kind } = object;
  const versionPath = memberPath(path, "apiVersion");
  if (typeof apiVersion !== "string" || apiVersion === "") yield fieldError.required(versionPath, "must not be empty");
  else if (apiVersion.split("/").length > 2) {
    yield fieldError.invalid(versionPath, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  }
  const kindPath = memberPath(path, "kind");
  if (typeof kind !== "string" || kind === "") yield fieldError.required(kindPath, "must not be empty");
  else {
    const faults = dns1035Label(kind.toLowerCase());
    if (faults.length > 0) {
      const message = `may have mixed case, but should otherwise match: ${faults.join(",")}`;
      yield fieldError.invalid(kindPath, kind, message);
    }
  }
}
