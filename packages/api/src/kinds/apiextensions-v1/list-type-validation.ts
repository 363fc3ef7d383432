/** How lists and maps of custom resources may say that they are merged. */
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import { checkChoice, type Findings } from "../../validation/checks.ts";

const listType = "x-kubernetes-list-type";
const mapType = "x-kubernetes-map-type";
const listKeys = "x-kubernetes-list-map-keys";

const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" ? value : undefined);

/** Findings in list and map types. */
export function* checkListTypes(field: string, schema: JsonObject): Findings {
  const kinds = { list: text(schema[listType]), map: text(schema[mapType]) };
  if (kinds.map !== undefined) {
    yield* checkOwnType(`${field}.type`, schema.type, "object", mapType);
    yield* checkChoice(`${field}.${mapType}`, kinds.map, ["atomic", "granular"]);
  }
  if (kinds.list !== undefined) {
    yield* checkOwnType(`${field}.type`, schema.type, "array", listType);
    yield* checkChoice(`${field}.${listType}`, kinds.list, ["atomic", "set", "map"]);
  }
  if (kinds.list === "set" && isJsonObject(schema.items)) yield* checkSetItems(`${field}.items`, schema.items);
}

function* checkOwnType(field: string, type: JsonValue | undefined, wanted: string, because: string): Findings {
  if (type === wanted) return;
  const message = `must be ${wanted} if ${because} is specified`;
  if (type === undefined || type === "") yield fieldError.required(field, message);
  else yield fieldError.invalid(field, type, message);
}

/** Items of a set are compared as wholes. */
function* checkSetItems(field: string, items: JsonObject): Findings {
  const message = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const inner = text(items[listType]);
  if (items.type === "array" && inner !== undefined && inner !== "atomic") {
    yield fieldError.invalid(`${field}.${listType}`, inner, message);
  }
  if (items.type === "object" && items[mapType] !== "atomic") {
    yield fieldError.invalid(`${field}.${mapType}`, inner ?? null, message);
  }
}

/** Findings in the keys of lists. */
export function* checkListKeys(field: string, schema: JsonObject): Findings {
  const type = text(schema[listType]);
  const given = schema[listKeys];
  const keys = Array.isArray(given) ? given.filter((key) => typeof key === "string") : [];
  if (keys.length > 0 && type !== "map") {
    const message = "must be map if x-kubernetes-list-map-keys is non-empty";
    if (type === undefined) yield fieldError.required(`${field}.${listType}`, message);
    else yield fieldError.invalid(`${field}.${listType}`, type, message);
  }
  const { items } = schema;
  if (type === "map") {
    if (keys.length === 0) {
      yield fieldError.required(`${field}.${listKeys}`, "must not be empty if x-kubernetes-list-type is map");
    }
    if (items === undefined) {
      yield fieldError.required(`${field}.items`, "must have a schema if x-kubernetes-list-type is map");
    } else if (!isJsonObject(items)) {
      const message = "must only have a single schema if x-kubernetes-list-type is map";
      yield fieldError.invalid(`${field}.items`, items, message);
    } else yield* checkKeyedItems(field, items, keys);
  }
  if (isJsonObject(items) && (type === "map" || type === "set"))
    yield* checkNulls(`${field}.items`, items, { type, keys });
}

function* checkKeyedItems(field: string, items: JsonObject, keys: readonly string[]): Findings {
  if (items.type !== "object") {
    const message = "must be object if parent array's x-kubernetes-list-type is map";
    yield fieldError.invalid(`${field}.items.type`, items.type ?? "", message);
    return;
  }
  const properties = isJsonObject(items.properties) ? items.properties : {};
  const seen = new Set<string>();
  for (const key of keys) {
    const property = properties[key];
    const type = isJsonObject(property) ? property.type : undefined;
    if (!isJsonObject(property)) {
      yield fieldError.invalid(`${field}.${listKeys}`, keys, "entries must all be names of item properties");
    } else if (type === "array" || type === "object") {
      const message = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      yield fieldError.invalid(`${field}.items.properties[${key}].type`, items.type, message);
    }
    if (seen.has(key)) {
      yield fieldError.invalid(`${field}.${listKeys}`, keys, "must not contain duplicate entries");
    }
    seen.add(key);
  }
}

interface ListRules {
  readonly type: string;
  readonly keys: readonly string[];
}

/** What tells items apart must be there. */
function* checkNulls(field: string, items: JsonObject, { type, keys }: ListRules): Findings {
  if (items.nullable === true) {
    yield fieldError.forbidden(`${field}.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`);
  }
  if (type !== "map") return;
  const properties = isJsonObject(items.properties) ? items.properties : {};
  const required = Array.isArray(items.required) ? items.required : [];
  for (const key of keys) {
    const property = properties[key];
    if (!isJsonObject(property)) continue;
    const here = `${field}.properties[${key}]`;
    const because = "this property is in x-kubernetes-list-map-keys";
    if (!required.includes(key) && property.default === undefined) {
      yield fieldError.required(`${here}.default`, `${because}, so it must have a default or be a required property`);
    }
    if (property.nullable === true)
      yield fieldError.forbidden(`${here}.nullable`, `${because}, so it cannot be nullable`);
  }
}
