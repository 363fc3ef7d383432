import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { DescribedResource } from "../resource-definition.ts";
import type { OpenApiVersion, SchemaDocument } from "./schema-document.ts";

/** A custom resource, and the document that is to describe it. */
export interface CustomPlace {
  readonly openApi: OpenApiVersion;
  readonly resource: DescribedResource;
  readonly schemas: SchemaDocument;
}

/** Adds a custom resource and its list to a document. */
export function customReferences(place: CustomPlace): { readonly object: JsonObject; readonly list: JsonObject } {
  const object = objectReference(place);
  return { object, list: listReference(place, object) };
}

/** `stable.example.com` → `com.example.stable.v1.CronTab`: how definitions of custom resources are named. */
const publishedName = ({ group, version }: DescribedResource, kind: string): string =>
  [...group.split(".").reverse(), version, kind].join(".");

const preserves = "x-kubernetes-preserve-unknown-fields";

function objectReference({ openApi, resource, schemas }: CustomPlace): JsonObject {
  const { group, version, kind } = resource;
  const gvk = { "x-kubernetes-group-version-kind": [{ group, version, kind }] };
  const name = publishedName(resource, kind);
  const schema = resource.custom?.openApi;
  // What keeps everything must not name anything in version 2: clients would refuse all else.
  if (schema === undefined || (openApi === 2 && schema[preserves] === true)) {
    return schemas.add(name, { type: "object", ...gvk });
  }
  const common = schemas.commonMembers("core.v1.ConfigMap");
  const body = withEmbedded(openApi === 2 ? versionTwo(schema) : schema, common);
  const properties = isJsonObject(body.properties) ? body.properties : {};
  return schemas.add(name, {
    ...body,
    type: "object",
    properties: { ...properties, ...common },
    ...(resource.selectableFields.length === 0 ? {} : { "x-kubernetes-selectable-fields": selectable(resource) }),
    ...gvk,
  });
}

const selectable = ({ selectableFields }: DescribedResource): JsonObject[] =>
  selectableFields.map(({ path }) => ({ fieldPath: path }));

/** Applies a change to the schemas directly below a schema. */
function below(schema: JsonObject, change: (inner: JsonObject) => JsonObject): JsonObject {
  const changed = (value: JsonValue | undefined) => (isJsonObject(value) ? change(value) : value);
  const made = { ...schema };
  if (isJsonObject(schema.properties)) {
    made.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, inner]) => [name, changed(inner)]),
    );
  }
  if (schema.items !== undefined) made.items = changed(schema.items);
  if (schema.additionalProperties !== undefined) made.additionalProperties = changed(schema.additionalProperties);
  return made;
}

/** Objects inside that are resources themselves have type and metadata without saying so. */
function withEmbedded(schema: JsonObject, common: JsonObject): JsonObject {
  const made = below(schema, (inner) => withEmbedded(inner, common));
  if (schema["x-kubernetes-embedded-resource"] !== true) return made;
  const properties = isJsonObject(made.properties) ? made.properties : {};
  return { ...made, properties: { ...properties, ...common } };
}

const unsaid = new Set(["allOf", "oneOf", "anyOf", "not", "nullable"]);
const shape = new Set(["type", "items", "properties", "additionalProperties"]);

/**
 * Version 2 knows no alternatives and no null, and its readers take every named field for the only ones there are: what
 * cannot be said is left out, so that nothing valid looks wrong.
 */
function versionTwo(schema: JsonObject): JsonObject {
  const open = schema.nullable === true || schema[preserves] === true || schema["x-kubernetes-int-or-string"] === true;
  const kept = Object.entries(schema).filter(([key]) => !unsaid.has(key) && !(open && shape.has(key)));
  return below(Object.fromEntries(kept), versionTwo);
}

function listReference({ resource, schemas }: CustomPlace, object: JsonObject): JsonObject {
  const { group, version, listKind } = resource;
  return schemas.add(publishedName(resource, listKind), {
    type: "object",
    required: ["items"],
    properties: { ...schemas.commonMembers("core.v1.ConfigMapList"), items: { type: "array", items: object } },
    "x-kubernetes-group-version-kind": [{ group, version, kind: listKind }],
  });
}
