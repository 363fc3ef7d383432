import type { FieldSchema, Schema, StructSchema } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { type CelType, type ListType, type ObjectField, type ObjectType, types } from "./cel-type.ts";
import { escapedName } from "./property-names.ts";
import { leastJsonBytes, mostEntries, mostItems, mostText } from "./sizes.ts";

/** The type of objects of a built-in kind, or of a part of one. Fields are read when an expression asks for them. */
export function typeOfSchema(schema: Schema): CelType {
  switch (schema.kind) {
    case "string":
    case "quantity":
      return types.string;
    case "boolean":
      return types.bool;
    case "int32":
    case "int64":
      return types.int;
    case "number":
      return types.double;
    case "bytes":
      return types.bytes;
    case "time":
    case "microTime":
      return types.timestamp;
    case "intOrString":
      return types.dyn;
    case "any":
      return types.dyn;
    case "list":
      return types.list(typeOfSchema(schema.item));
    case "map":
      return types.map(types.string, typeOfSchema(schema.value));
    case "struct":
      return structType(schema);
  }
}

const structs = new WeakMap<StructSchema, ObjectType>();

function structType(schema: StructSchema): ObjectType {
  const known = structs.get(schema);
  if (known !== undefined) return known;
  const fields = new Map<string, ObjectField | undefined>();
  const properties = new Map(schema.fieldNames.map((property) => [escapedName(property) ?? property, property]));
  const made: ObjectType = {
    kind: "object",
    name: schema.definition === "" ? schema.name : `io.k8s.${schema.definition}`,
    open: schema.preserveUnknown,
    field(name) {
      if (fields.has(name)) return fields.get(name);
      const property = properties.get(name);
      const found: FieldSchema | undefined = property === undefined ? undefined : schema.field(property);
      const field = found === undefined ? undefined : { property: found.name, type: typeOfSchema(found.schema) };
      fields.set(name, field);
      return field;
    },
  };
  structs.set(schema, made);
  return made;
}

/** How `typeOfJsonSchema` names a type, and whether it is a whole object with `apiVersion`, `kind` and `metadata`. */
export interface JsonSchemaPlace {
  /** Name of the type; nested ones are called `name.property`. */
  readonly name: string;
  readonly resource: boolean;
  /** What `metadata` of a whole object is; where absent, expressions see its names only, as in rules of definitions. */
  readonly metadata?: CelType;
}

/**
 * The type that Kubernetes declares for a structural JSON schema. `undefined` where expressions cannot see values of the
 * schema: it has no type, or keeps fields that it does not name.
 */
export function typeOfJsonSchema(schema: JsonValue | undefined, place: JsonSchemaPlace): CelType | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "dyn", maxSize: mostText };
  switch (schema.type) {
    case "array":
      return listType(schema, place);
    case "object":
      return isJsonObject(schema.additionalProperties) ? mapType(schema, place) : objectType(schema, place);
    case "string":
      return stringType(schema);
    case "boolean":
      return types.bool;
    case "number":
      return types.double;
    case "integer":
      return types.int;
    default:
      return undefined;
  }
}

function listType(schema: JsonObject, place: JsonSchemaPlace): ListType | undefined {
  const element = typeOfJsonSchema(schema.items, {
    name: `${place.name}.@idx`,
    resource: isJsonObject(schema.items) && schema.items["x-kubernetes-embedded-resource"] === true,
  });
  if (element === undefined) return undefined;
  const maxSize = limit(schema.maxItems) ?? mostItems(leastJsonBytes(schema.items));
  const keys = schema["x-kubernetes-list-map-keys"];
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return { kind: "list", element, maxSize, merge: { kind: "set" } };
    case "map": {
      const names = Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [];
      return { kind: "list", element, maxSize, merge: { kind: "map", keys: names } };
    }
    default:
      return { kind: "list", element, maxSize };
  }
}

function mapType(schema: JsonObject, place: JsonSchemaPlace): CelType | undefined {
  const values = schema.additionalProperties;
  const value = typeOfJsonSchema(values, {
    name: `${place.name}.@elem`,
    resource: isJsonObject(values) && values["x-kubernetes-embedded-resource"] === true,
  });
  if (value === undefined) return undefined;
  const maxSize = limit(schema.maxProperties) ?? mostEntries(leastJsonBytes(values));
  return { kind: "map", key: { kind: "string", maxSize: mostText }, value, maxSize };
}

function stringType(schema: JsonObject): CelType {
  switch (schema.format) {
    case "byte":
      return { kind: "bytes", maxSize: limit(schema.maxLength) ?? mostText };
    case "duration":
      return types.duration;
    case "date":
    case "date-time":
      return types.timestamp;
    default:
      return { kind: "string", maxSize: longestText(schema.maxLength) ?? longestEnum(schema.enum) ?? mostText };
  }
}

/** Schemas count code points, Kubernetes counts bytes, and a code point has at most four of them. */
const longestText = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" ? Math.max(0, value) * 4 : undefined;

const limit = (value: JsonValue | undefined): number | undefined => (typeof value === "number" ? value : undefined);

function longestEnum(values: JsonValue | undefined): number | undefined {
  if (!Array.isArray(values) || values.length === 0) return undefined;
  return Math.max(...values.map((value) => (typeof value === "string" ? value.length : 0)));
}

function objectType(schema: JsonObject, { name, resource, metadata }: JsonSchemaPlace): ObjectType {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const common: JsonObject =
    resource || schema["x-kubernetes-embedded-resource"] === true
      ? { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: metadataSchema(properties.metadata) }
      : {};
  const all: JsonObject = { ...properties, ...common };
  const byEscaped = new Map(Object.keys(all).map((property) => [escapedName(property), property]));
  const fields = new Map<string, ObjectField | undefined>();
  return {
    kind: "object",
    name,
    field(field) {
      if (fields.has(field)) return fields.get(field);
      const property = byEscaped.get(field);
      const schemaOfField = property === undefined ? undefined : all[property];
      const embedded = isJsonObject(schemaOfField) && schemaOfField["x-kubernetes-embedded-resource"] === true;
      const given = resource && property === "metadata" ? metadata : undefined;
      const type = given ?? typeOfJsonSchema(schemaOfField, { name: `${name}.${field}`, resource: embedded });
      const made = type === undefined || property === undefined ? undefined : { property, type };
      fields.set(field, made);
      return made;
    },
  };
}

/** Expressions see the name of an object and nothing else of its metadata. */
function metadataSchema(given: JsonValue | undefined): JsonObject {
  const named = isJsonObject(given) && isJsonObject(given.properties) ? given.properties : {};
  return {
    type: "object",
    properties: { name: named.name ?? { type: "string" }, generateName: named.generateName ?? { type: "string" } },
  };
}
