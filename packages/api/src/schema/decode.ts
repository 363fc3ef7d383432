import type { JsonObject } from "@skiff/base";
import type { StructSchema } from "./schema.ts";

/** What a request body is decoded as. */
export interface DecodeRequest {
  readonly text: string;
  readonly format: "json" | "yaml";
  readonly schema: StructSchema;
  /** Named in refusals: `Deployment in version "v1" cannot be handled as a Deployment: …`. */
  readonly kind: string;
  readonly version: string;
  /** With `Ignore` no strict errors are looked for. */
  readonly fieldValidation: FieldValidation;
}

/** The query parameter `fieldValidation`. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface Decoded {
  readonly value: JsonObject;
  /** Unknown and duplicate fields, as in `unknown field "spec.foo"`. With `Warn` each becomes a warning. */
  readonly strictErrors: readonly string[];
}

/**
 * Reads a request's body: structure checked against the schema, unknown fields dropped, nulls dropped as Kubernetes drops
 * them, quantities and times in canonical form. Throws `StatusError` (400) when the body does not fit, and with `Strict` also
 * when there are strict errors.
 */
export function decodeObject(_request: DecodeRequest): Decoded {
  throw new Error("not yet");
}
