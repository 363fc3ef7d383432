import type { JsonObject } from "@skiff/base";
import type { StructSchema } from "./schema.ts";

/** What a custom resource's schema is named after in messages. */
export interface JsonSchemaRoot {
  readonly kind: string;
  /** `spec.versions[].schema.openAPIV3Schema`, structural. */
  readonly schema: JsonObject;
}

/** The schema of a custom resource: its JSON schema with `apiVersion`, `kind` and `metadata` added. */
export function schemaOfCustomResource(_root: JsonSchemaRoot): StructSchema {
  throw new Error("not yet");
}
