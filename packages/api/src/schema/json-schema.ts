import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { definitionSchema } from "./definition-schema.ts";
import { anySchema, type FieldSchema, openObjectSchema, type Schema, type StructSchema } from "./schema.ts";

/** What a custom resource's schema is named after in messages. */
export interface JsonSchemaRoot {
  readonly kind: string;
  /** `spec.versions[].schema.openAPIV3Schema`, structural. */
  readonly schema: JsonObject;
}

/** The schema of a custom resource: its JSON schema with `apiVersion`, `kind` and `metadata` added. */
export function schemaOfCustomResource({ kind, schema }: JsonSchemaRoot): StructSchema {
  return structFrom(schema, { name: kind, embedded: true });
}

const stringSchema: Schema = { kind: "string" };

/** The shape that a structural JSON schema describes, as far as pruning and merging need it. */
export function schemaFromJson(schema: JsonValue | undefined): Schema {
  if (!isJsonObject(schema)) return anySchema;
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "intOrString" };
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  switch (schema.type) {
    case "array":
      return listFrom(schema);
    case "object":
      if (isJsonObject(schema.properties) || embedded) return structFrom(schema, { name: "", embedded });
      if (isJsonObject(schema.additionalProperties)) {
        const atomic = schema["x-kubernetes-map-type"] === "atomic";
        return { kind: "map", value: schemaFromJson(schema.additionalProperties), atomic };
      }
      // An object that says nothing of its members keeps none, unless it says so.
      return (keepsUnknown && schema["x-kubernetes-map-type"] !== "atomic") || schema.additionalProperties === true
        ? openObjectSchema
        : structFrom(schema, { name: "", embedded });
    case "string":
      return stringSchema;
    case "boolean":
      return { kind: "boolean" };
    case "integer":
      return { kind: "int64" };
    case "number":
      return { kind: "number" };
    default:
      return keepsUnknown && isJsonObject(schema.properties) ? structFrom(schema, { name: "", embedded }) : anySchema;
  }
}

function listFrom(schema: JsonObject): Schema {
  const keys = schema["x-kubernetes-list-map-keys"];
  const listType = schema["x-kubernetes-list-type"];
  return {
    kind: "list",
    item: schemaFromJson(schema.items),
    listType: listType === "set" || listType === "map" ? listType : "atomic",
    keys: Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [],
  };
}

interface StructOptions {
  readonly name: string;
  readonly embedded: boolean;
}

function structFrom(schema: JsonObject, { name, embedded }: StructOptions): StructSchema {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const names = new Set(Object.keys(properties));
  if (embedded) for (const common of ["apiVersion", "kind", "metadata"]) names.add(common);
  const required = Array.isArray(schema.required) ? schema.required.filter((one) => typeof one === "string") : [];
  const fields = new Map<string, FieldSchema>();
  return {
    kind: "struct",
    name,
    definition: "",
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    preserveUnknown: schema["x-kubernetes-preserve-unknown-fields"] === true,
    embedded,
    required,
    fieldNames: [...names],
    defaultOf(field) {
      const property = properties[field];
      return isJsonObject(property) ? property.default : undefined;
    },
    field(field) {
      const known = fields.get(field);
      if (known !== undefined) return known;
      if (!names.has(field)) return undefined;
      const made = customField(field, embedded ? commonSchema(field, properties) : schemaFromJson(properties[field]));
      fields.set(field, made);
      return made;
    },
  };
}

function commonSchema(field: string, properties: JsonObject): Schema {
  if (field === "metadata") return definitionSchema("meta.v1.ObjectMeta");
  return field === "apiVersion" || field === "kind" ? stringSchema : schemaFromJson(properties[field]);
}

const customField = (name: string, schema: Schema): FieldSchema => ({
  name,
  schema,
  merge: false,
  mergeKey: undefined,
  replace: false,
  retainKeys: false,
  always: name === "metadata",
});
