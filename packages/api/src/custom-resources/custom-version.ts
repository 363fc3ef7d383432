import { isJsonObject, type JsonObject } from "@skiff/base";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types/apiextensions-v1.ts";
import type { DynamicObject } from "../object.ts";
import type { CustomForm } from "../resource-definition.ts";
import { schemaOfCustomResource } from "../schema/json-schema.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";

/** One version of a definition, with its schema in all forms, each made once and when asked for. */
export class Version implements CustomForm {
  readonly text: CustomResourceDefinitionVersion;
  readonly apiVersion: string;
  readonly #kind: string;
  readonly #preserves: boolean;
  #structural: StructuralSchema | undefined;
  #struct: CustomForm["struct"] | undefined;

  constructor({ spec }: CustomResourceDefinition, text: CustomResourceDefinitionVersion) {
    this.text = text;
    this.apiVersion = `${spec.group}/${text.name}`;
    this.#kind = spec.names.kind;
    this.#preserves = spec.preserveUnknownFields === true;
  }

  get openApi(): JsonObject | undefined {
    const schema: unknown = this.text.schema?.openAPIV3Schema;
    return isJsonObject(schema) ? schema : undefined;
  }

  get scale(): CustomForm["scale"] {
    return this.text.subresources?.scale;
  }

  get hasStatus(): boolean {
    return this.text.subresources?.status !== undefined;
  }

  get structural(): StructuralSchema {
    this.#structural ??= structuralSchema(this.#asRead());
    return this.#structural;
  }

  get struct(): CustomForm["struct"] {
    this.#struct ??= schemaOfCustomResource({ kind: this.#kind, schema: this.#asRead() });
    return this.#struct;
  }

  /** A definition that keeps what it does not know says so at the top of its schema. */
  #asRead(): JsonObject {
    const schema = this.openApi ?? { type: "object" };
    return this.#preserves ? { ...schema, "x-kubernetes-preserve-unknown-fields": true } : schema;
  }
}

const isJson = (_object: DynamicObject): _object is DynamicObject & JsonObject => true;

/** An object as JSON: custom resources are nothing else. */
export function fieldsOf(object: DynamicObject): JsonObject {
  return isJson(object) ? object : {};
}
