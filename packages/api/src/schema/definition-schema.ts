import { assert, type JsonValue, present } from "@skiff/base";
import { definitions as generated } from "../generated/definitions.ts";
import { metricsDefinitions } from "../kinds/metrics-definitions.ts";
import { oldDefinitions } from "../kinds/removed/old-definitions.ts";
import type { DefinitionNotation } from "./notation.ts";
import {
  anySchema,
  type FieldSchema,
  openObjectSchema,
  type ScalarKind,
  type Schema,
  type StructSchema,
} from "./schema.ts";

/** Objects that Kubernetes holds by value, so that they are always there, although the published schema calls them optional. */
const heldByValue: ReadonlySet<string> = new Set([
  "metadata",
  "spec",
  "status",
  "template",
  "strategy",
  "updateStrategy",
  "resources",
  "state",
  "lastState",
  "nodeInfo",
  "daemonEndpoints",
  "kubeletEndpoint",
  "loadBalancer",
]);

/** Defaults of fields that are keys of lists. The published document that the notation comes from leaves defaults out. */
const keyDefaults: ReadonlyMap<string, string> = new Map([
  ["core.v1.ContainerPort.protocol", "TCP"],
  ["core.v1.ServicePort.protocol", "TCP"],
]);

/** The value that an item has for a key it leaves out, or `undefined` where the key must be there. */
export const keyDefault = (item: Schema, key: string): JsonValue | undefined =>
  item.kind === "struct" ? (keyDefaults.get(`${item.definition}.${key}`) ?? item.defaultOf?.(key)) : undefined;

const scalars: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ...(
    ["string", "boolean", "int32", "int64", "number", "bytes", "quantity", "time", "microTime", "intOrString"] as const
  ).map((kind: ScalarKind): [string, Schema] => [kind, { kind }]),
  ["object", openObjectSchema],
  ["any", anySchema],
]);

const definitions: Readonly<Record<string, DefinitionNotation>> = {
  ...generated,
  ...oldDefinitions,
  ...metricsDefinitions,
};

const cache = new Map<string, StructSchema>();

/** The schema of a built-in definition by short name (`core.v1.Pod`), or `undefined` when there is none. */
export function findDefinitionSchema(definition: string): StructSchema | undefined {
  const known = cache.get(definition);
  if (known !== undefined) return known;
  if (!Object.hasOwn(definitions, definition)) return undefined;
  const schema = structOf(definition, present(definitions[definition], definition), undefined);
  cache.set(definition, schema);
  return schema;
}

/** The schema of a built-in definition by short name. Asserts that it exists. */
export function definitionSchema(definition: string): StructSchema {
  const schema = findDefinitionSchema(definition);
  assert(schema !== undefined, `no definition ${definition}`);
  return schema;
}

/**
 * The schema of an object that is no resource of the API, such as a component's configuration: its notation is among `own`, which may
 * name definitions of `own` and of the API. Asserts that it exists.
 */
export function schemaOf(definition: string, own: Readonly<Record<string, DefinitionNotation>>): StructSchema {
  return structOf(definition, present(own[definition], definition), undefined, own);
}

type Notations = Readonly<Record<string, DefinitionNotation>>;

function structOf(
  definition: string,
  notation: DefinitionNotation,
  atomic: boolean | undefined,
  own?: Notations,
): StructSchema {
  const fields = new Map<string, FieldSchema>();
  const required = notation.required ?? [];
  return {
    kind: "struct",
    name: definition.slice(definition.lastIndexOf(".") + 1),
    definition,
    atomic: atomic ?? notation.atomic ?? false,
    preserveUnknown: false,
    embedded: false,
    required,
    fieldNames: Object.keys(notation.fields),
    field(name) {
      const known = fields.get(name);
      if (known !== undefined) return known;
      if (!Object.hasOwn(notation.fields, name)) return undefined;
      const field = fieldOf(name, present(notation.fields[name], name), required.includes(name), own);
      fields.set(name, field);
      return field;
    },
  };
}

/** Reads one field's notation, as in `[]@core.v1.Container;list=map:name;merge=name`. */
function fieldOf(name: string, text: string, required: boolean, own: Notations | undefined): FieldSchema {
  const [type = "any", ...notes] = text.split(";");
  const note = (key: string) => notes.find((one) => one.startsWith(`${key}=`))?.slice(key.length + 1);
  const schema = typeOf(type, { list: note("list"), map: note("map"), own });
  return {
    name,
    schema,
    merge: notes.some((one) => one === "merge" || one.startsWith("merge=")),
    mergeKey: note("merge"),
    replace: notes.includes("replace"),
    retainKeys: notes.includes("retainKeys"),
    always: required || (schema.kind === "struct" && heldByValue.has(name)),
  };
}

interface TypeNotes {
  readonly list?: string | undefined;
  readonly map?: string | undefined;
  readonly own: Notations | undefined;
}

function typeOf(type: string, { list, map, own }: TypeNotes): Schema {
  if (type.startsWith("[]")) {
    const [listType = "atomic", keys = ""] = (list ?? "atomic").split(":");
    return {
      kind: "list",
      item: typeOf(type.slice(2), { own }),
      listType: listType === "set" || listType === "map" ? listType : "atomic",
      keys: keys === "" ? [] : keys.split(","),
    };
  }
  if (type.startsWith("{}")) {
    return { kind: "map", value: typeOf(type.slice(2), { own }), atomic: map === "atomic" };
  }
  if (type.startsWith("@")) {
    const definition = type.slice(1);
    if (own !== undefined && Object.hasOwn(own, definition)) return schemaOf(definition, own);
    if (map === undefined) return definitionSchema(definition);
    return structOf(definition, present(definitions[definition], definition), map === "atomic");
  }
  return present(scalars.get(type), type);
}
