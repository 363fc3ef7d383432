import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { Schema, StructSchema } from "../schema/schema.ts";
import { configurationFaults, faultsText } from "./check-configuration.ts";
import { mergeConfiguration } from "./merge.ts";
import { fieldElement, pathText } from "./path-element.ts";

/**
 * An object with a configuration laid over it as server-side apply merges, but without owners: what a mutating policy's
 * `applyConfiguration` does. Throws an `Error` with Kubernetes' words for a configuration that does not fit the schema, or that
 * says something of a list, map or object which is one value: what it leaves out would be lost.
 */
export function overlayConfiguration(live: JsonObject, config: JsonObject, schema: StructSchema): JsonObject {
  const faults = configurationFaults(config, schema);
  if (faults.length > 0) throw new Error(`failed to convert patch object to typed object: ${faultsText(faults)}`);
  const atomics = atomicsIn(config, schema, []);
  if (atomics.length > 0) {
    throw new Error(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`);
  }
  return mergeConfiguration(live, config, schema);
}

function atomicsIn(value: JsonValue, schema: Schema, path: readonly string[]): string[] {
  if (isJsonObject(value) && (schema.kind === "struct" || schema.kind === "map")) {
    const own = schema.atomic ? [pathText(path)] : [];
    if (schema.kind === "map") return own;
    const inner = Object.entries(value).flatMap(([name, member]) => {
      const field = schema.field(name);
      if (field === undefined || member === undefined) return [];
      return atomicsIn(member, field.schema, [...path, fieldElement(name)]);
    });
    return [...own, ...inner];
  }
  if (!Array.isArray(value) || schema.kind !== "list") return [];
  const own = schema.listType === "atomic" ? [pathText(path)] : [];
  return [...own, ...value.flatMap((item, index) => atomicsIn(item, schema.item, [...path, `i:${index}`]))];
}
