import type { JsonObject, JsonValue } from "@skiff/base";
import { parseJsonPath } from "../json-path.ts";
import { age } from "../kinds/columns.ts";
import { since } from "../kinds/human-duration.ts";
import type { DynamicObject } from "../object.ts";
import type { Column, RuleContext, SelectableField } from "../resource-definition.ts";

/** A column as a CustomResourceDefinition has it. */
export interface ColumnText {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly description?: string | undefined;
  readonly format?: string | undefined;
  readonly priority?: number | undefined;
}

const usualColumns: readonly Column<DynamicObject>[] = [{ ...age, type: "date" }];

const types = ["string", "integer", "number", "boolean", "date"] as const;

/** The columns of a custom resource; its age where it has none, or where one of their paths leads nowhere by its form. */
export function customColumns(columns: readonly ColumnText[]): readonly Column<DynamicObject>[] {
  if (columns.length === 0) return usualColumns;
  try {
    return columns.map(columnOf);
  } catch {
    return usualColumns;
  }
}

function columnOf({
  name,
  type: typeText,
  jsonPath,
  description,
  format,
  priority,
}: ColumnText): Column<DynamicObject> {
  const type = types.find((one) => one === typeText) ?? "string";
  const path = parseJsonPath(jsonPath);
  return {
    title: name,
    type,
    format: format ?? "",
    priority: priority ?? 0,
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    value: (object, context) => cellOf(path.find(object)[0], type, context),
  };
}

function cellOf(
  value: unknown,
  type: (typeof types)[number],
  { nowMs }: RuleContext,
): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "string":
      return textOf(value);
    case "integer":
      return typeof value === "number" || typeof value === "bigint" ? Math.trunc(Number(value)) : null;
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    default:
      if (typeof value !== "string") return null;
      return value !== "" && Number.isNaN(Date.parse(value)) ? "<invalid>" : since(value, nowMs);
  }
}

const textOf = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** The fields of a custom resource that `--field-selector` may ask for. */
export const customFields = (
  fields: readonly { readonly jsonPath: string }[],
): readonly SelectableField<DynamicObject>[] =>
  fields.map(({ jsonPath }) => {
    const steps = simplePath(jsonPath);
    return {
      path: steps.join("."),
      value(object) {
        const found = valueAt(object, steps);
        return found === undefined || found === null || typeof found === "object" ? "" : String(found);
      },
    };
  });

/** `.spec.replicas` in steps. */
export const simplePath = (path: string): readonly string[] => path.split(".").filter((step) => step !== "");

/** What is at the end of a simple path. */
export function valueAt(object: object, steps: readonly string[]): unknown {
  let value: unknown = object;
  for (const step of steps) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** Puts a value at the end of a simple path, making the objects on the way. */
export function setValueAt(object: JsonObject, steps: readonly string[], value: JsonValue): void {
  const [first, ...rest] = steps;
  if (first === undefined) return;
  if (rest.length === 0) {
    object[first] = value;
    return;
  }
  const inner = object[first];
  const next: JsonObject = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? inner : {};
  object[first] = next;
  setValueAt(next, rest, value);
}
