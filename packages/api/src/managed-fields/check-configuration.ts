import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ListSchema, Schema, StructSchema } from "../schema/schema.ts";
import { fieldElement, itemElement, PathElementError, pathText } from "./path-element.ts";

/** What in a configuration does not fit the schema, as in `.spec.foo: field not declared in schema`. */
export function configurationFaults(config: JsonObject, schema: StructSchema): readonly string[] {
  const check = new Check();
  check.value(config, schema);
  return check.faults;
}

const numeric = new Set(["int32", "int64", "number"]);

class Check {
  readonly faults: string[] = [];
  readonly #path: string[] = [];

  value(value: JsonValue, schema: Schema): void {
    if (value === null) return;
    switch (schema.kind) {
      case "struct":
      case "map":
        if (isJsonObject(value)) this.#members(value, schema);
        else this.#fault(`expected map, got ${shown(value)}`);
        return;
      case "list":
        if (Array.isArray(value)) this.#items(value, schema);
        else this.#fault(`expected list, got ${shown(value)}`);
        return;
      case "any":
        if (schema.object && !isJsonObject(value)) this.#fault(`expected map, got ${shown(value)}`);
        return;
      default:
        this.#scalar(value, schema.kind);
    }
  }

  #scalar(value: JsonValue, kind: string): void {
    if (typeof value === "object") this.#fault(`expected ${kind === "boolean" ? kind : "scalar"}, got ${shown(value)}`);
    else if (numeric.has(kind) && typeof value !== "number") {
      this.#fault(`expected numeric (int or float), got ${typeof value === "boolean" ? "bool" : typeof value}`);
    } else if (kind === "boolean" && typeof value !== "boolean") this.#fault(`expected boolean, got ${shown(value)}`);
    else if ((kind === "string" || kind === "bytes") && typeof value !== "string") {
      this.#fault(`expected string, got ${shown(value)}`);
    }
  }

  #members(value: JsonObject, schema: Schema): void {
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      this.#path.push(fieldElement(name));
      const inner =
        schema.kind === "struct" ? schema.field(name)?.schema : schema.kind === "map" ? schema.value : undefined;
      if (inner !== undefined) this.value(member, inner);
      else if (schema.kind !== "struct" || !schema.preserveUnknown) this.#fault("field not declared in schema");
      this.#path.pop();
    }
  }

  #items(value: readonly JsonValue[], schema: ListSchema): void {
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const element = schema.listType === "atomic" ? `i:${index}` : this.#elementOf(item, { schema, index });
      if (element === undefined) continue;
      if (seen.has(element)) this.#fault(`duplicate entries for key ${pathText([element])}`);
      seen.add(element);
      this.#path.push(element);
      this.value(item, schema.item);
      this.#path.pop();
    }
  }

  #elementOf(item: JsonValue, { schema, index }: { schema: ListSchema; index: number }): string | undefined {
    try {
      return itemElement(item, schema);
    } catch (error) {
      if (!(error instanceof PathElementError)) throw error;
      this.#fault(`element ${index}: ${error.message}`);
      return undefined;
    }
  }

  #fault(what: string): void {
    this.faults.push(`${pathText(this.#path)}: ${what}`);
  }
}

const shown = (value: JsonValue): string => `&{${typeof value === "object" ? JSON.stringify(value) : String(value)}}`;

/** Several faults in one text, as Kubernetes joins them. */
export const faultsText = (faults: readonly string[]): string =>
  faults.length === 1 ? (faults[0] ?? "") : `errors:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
