import type { JsonObject } from "@skiff/base";
import { definitions } from "../generated/definitions.ts";
import { metricsDefinitions } from "../kinds/metrics-definitions.ts";
import { definitionSchema } from "../schema/definition-schema.ts";
import type { FieldSchema, Schema, StructSchema } from "../schema/schema.ts";
import { type Descriptions, describedBy, noDescriptions } from "./descriptions.ts";

/** Which of the two documents is written: they differ in where definitions live and in how a union of types is said. */
export type OpenApiVersion = 2 | 3;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const quantityName = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const intOrStringName = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const timeName = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const microTimeName = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";

const conventions = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";
/** What Kubernetes says of every object's `metadata`: clients look for the words. */
const metadataTexts: ReadonlyMap<string, string> = new Map([
  ["meta.v1.ObjectMeta", `Standard object's metadata. More info: ${conventions}#metadata`],
  ["meta.v1.ListMeta", `Standard list metadata. More info: ${conventions}#types-kinds`],
]);

const scalarDefinitions: Readonly<Record<string, (version: OpenApiVersion) => JsonObject>> = {
  [quantityName]: (version) =>
    version === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] },
  [intOrStringName]: (version) =>
    version === 2
      ? { format: "int-or-string", type: "string" }
      : { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  [timeName]: () => ({ format: "date-time", type: "string" }),
  [microTimeName]: () => ({ format: "date-time", type: "string" }),
};

/** The published name of a built-in definition: `core.v1.Pod` → `io.k8s.api.core.v1.Pod`. */
export const publishedName = (definition: string): string =>
  (definitions[definition] ?? metricsDefinitions[definition])?.name ?? definition;

/** Collects definitions, each with all that it refers to. */
export class SchemaDocument {
  readonly #version: OpenApiVersion;
  readonly #kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;
  readonly #descriptions: Descriptions;
  readonly #written = new Map<string, JsonObject>();

  /** `kinds` says which definitions are kinds, by short name of the definition. */
  constructor(
    version: OpenApiVersion,
    kinds: ReadonlyMap<string, readonly GroupVersionKind[]>,
    descriptions: Descriptions = noDescriptions,
  ) {
    this.#version = version;
    this.#kinds = kinds;
    this.#descriptions = descriptions;
  }

  /** All that was referred to, by published name, in order. */
  definitions(): JsonObject {
    return Object.fromEntries([...this.#written].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to a built-in definition, which is thereby part of the document. */
  reference(schema: StructSchema): JsonObject {
    const name = publishedName(schema.definition);
    if (!this.#written.has(name)) {
      const body: JsonObject = {};
      this.#written.set(name, body);
      // A field may treat its value as one where the definition does not: the definition is written as it is itself.
      Object.assign(body, this.#struct(definitionSchema(schema.definition)));
    }
    return this.#refTo(name);
  }

  /** Members that all kinds have alike, described as those of a built-in one. */
  commonMembers(definition: "core.v1.ConfigMap" | "core.v1.ConfigMapList"): JsonObject {
    const schema = definitionSchema(definition);
    const members = ["apiVersion", "kind", "metadata"].map((name): [string, JsonObject] => {
      const field = schema.field(name);
      return [name, field === undefined ? {} : this.#described(this.#field(field), definition, name)];
    });
    return Object.fromEntries(members);
  }

  /** Adds a definition that is already written, as a custom resource's is, and refers to it. */
  add(name: string, body: JsonObject): JsonObject {
    this.#written.set(name, body);
    return this.#refTo(name);
  }

  #refTo(name: string): JsonObject {
    return { $ref: `#/${this.#version === 2 ? "definitions" : "components/schemas"}/${name}` };
  }

  #struct(schema: StructSchema): JsonObject {
    const properties = schema.fieldNames.map((name): [string, JsonObject] => {
      const field = schema.field(name);
      return [name, field === undefined ? {} : this.#described(this.#field(field), schema.definition, name)];
    });
    const kinds = this.#kinds.get(schema.definition);
    return {
      ...describedBy(this.#descriptions, schema.definition, ""),
      type: "object",
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(schema.required.length === 0 ? {} : { required: [...schema.required] }),
      ...(schema.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
      ...(kinds === undefined ? {} : { "x-kubernetes-group-version-kind": kinds.map((kind) => ({ ...kind })) }),
    };
  }

  /** A reference stands alone in its schema: what is said of it stands beside it. */
  #described(schema: JsonObject, definition: string, field: string): JsonObject {
    const described = this.#textOf(definition, field);
    if (described.description === undefined) return schema;
    const { $ref, ...rest } = schema;
    return $ref === undefined ? { ...described, ...schema } : { ...described, ...rest, allOf: [{ $ref }] };
  }

  /** A field whose value is of a kind of its own, and of which nothing else is said, is what that kind is. */
  #textOf(definition: string, name: string): { readonly description?: string } {
    const own = describedBy(this.#descriptions, definition, name);
    const schema = own.description === undefined ? definitionSchema(definition).field(name)?.schema : undefined;
    if (schema?.kind !== "struct") return own;
    const description = metadataTexts.get(schema.definition);
    return description === undefined ? describedBy(this.#descriptions, schema.definition, "") : { description };
  }

  #field(field: FieldSchema): JsonObject {
    const { schema } = field;
    const strategies = [
      ...(field.merge ? ["merge"] : []),
      ...(field.replace ? ["replace"] : []),
      ...(field.retainKeys ? ["retainKeys"] : []),
    ];
    return {
      ...this.#value(schema),
      ...(schema.kind === "list" ? { "x-kubernetes-list-type": schema.listType } : {}),
      ...(schema.kind === "list" && schema.keys.length > 0 ? { "x-kubernetes-list-map-keys": [...schema.keys] } : {}),
      ...(isAtomicHere(schema) ? { "x-kubernetes-map-type": "atomic" } : {}),
      ...(strategies.length === 0 ? {} : { "x-kubernetes-patch-strategy": strategies.join(",") }),
      ...(field.mergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": field.mergeKey }),
    };
  }

  #value(schema: Schema): JsonObject {
    switch (schema.kind) {
      case "struct":
        return this.reference(schema);
      case "list":
        return { type: "array", items: this.#value(schema.item) };
      case "map":
        return { type: "object", additionalProperties: this.#value(schema.value) };
      case "any":
        return schema.object ? { type: "object" } : {};
      case "int32":
      case "int64":
        return { type: "integer", format: schema.kind };
      case "bytes":
        return { type: "string", format: "byte" };
      case "quantity":
        return this.#scalar(quantityName);
      case "intOrString":
        return this.#scalar(intOrStringName);
      case "time":
        return this.#scalar(timeName);
      case "microTime":
        return this.#scalar(microTimeName);
      case "number":
        return { type: "number", format: "double" };
      default:
        return { type: schema.kind };
    }
  }

  #scalar(name: string): JsonObject {
    const body = scalarDefinitions[name]?.(this.#version) ?? {};
    if (!this.#written.has(name)) this.#written.set(name, body);
    return this.#refTo(name);
  }
}

/** True when a field says of its value, and not the value's definition of itself, that it is treated as one. */
function isAtomicHere(schema: Schema): boolean {
  if (schema.kind === "map") return schema.atomic;
  return schema.kind === "struct" && schema.atomic && !definitionSchema(schema.definition).atomic;
}
