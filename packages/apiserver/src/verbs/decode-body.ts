import { conformObject, decodeObject, definitionSchema, fieldError, type KubeObject, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asObject } from "../encoding/object-json.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";

/** A request's body, not yet read. */
export interface EncodedBody {
  readonly text: string;
  readonly format: "json" | "yaml";
}

/** Reads a body as an object of the resource. Unknown fields are refused (400), warned of or dropped, as the context says. */
export function decodeBody(storage: ObjectStorage, body: EncodedBody, context: WriteContext): KubeObject {
  const { group, version, kind } = storage.resource;
  const { value, strictErrors } = decodeObject({
    ...body,
    schema: storage.schema,
    group,
    version,
    kind,
    fieldValidation: context.fieldValidation,
  });
  warnOf(strictErrors, context);
  return withMetadata(value);
}

/** The object, which always has metadata from here on, whatever its client sent. */
export function withMetadata(value: JsonObject): KubeObject {
  if (!isJsonObject(value.metadata)) value.metadata = {};
  return asObject(value);
}

/** With `Warn`, what strict decoding finds becomes warnings. */
export function warnOf(strictErrors: readonly string[], context: WriteContext): void {
  if (context.fieldValidation === "Warn") for (const error of strictErrors) context.warn(error);
}

/**
 * Brings what a patch made into the form of the resource's schema. Takes `value` over. Throws 422 when it does not fit (the
 * refusal shows the patch) and, with `Strict`, when it has unknown fields.
 */
export function conformPatched(
  storage: ObjectStorage,
  value: JsonValue,
  patch: { readonly text: string; readonly context: WriteContext },
): KubeObject {
  const refuse = (why: string) =>
    refusals.invalid({ group: "", kind: "", name: "" }, [fieldError.invalid("patch", patch.text, why)]);
  if (!isJsonObject(value)) throw refuse("the patched value is not an object");
  const { strictErrors } = conformed(storage, value, refuse);
  if (strictErrors.length > 0 && patch.context.fieldValidation === "Strict") {
    throw refuse(`strict decoding error: ${strictErrors.join(", ")}`);
  }
  warnOf(strictErrors, patch.context);
  return withMetadata(value);
}

function conformed(storage: ObjectStorage, value: JsonObject, refuse: (why: string) => Error) {
  try {
    return conformObject(value, storage.schema);
  } catch (error) {
    if (error instanceof Error && error.name === "DecodeFailure") throw refuse(error.message);
    throw error;
  }
}

/** Reads the options that a deletion may carry as its body. */
export function decodeDeleteOptions({ text, format }: EncodedBody): JsonObject {
  return decodeObject({
    text,
    format,
    schema: definitionSchema("meta.v1.DeleteOptions"),
    version: "v1",
    kind: "DeleteOptions",
    fieldValidation: "Ignore",
  }).value;
}
