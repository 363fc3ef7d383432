import { decodeObject, definitionSchema, type KubeObject, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { asObject } from "../encoding/object-json.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { dedupOwnerReferences } from "./owner-references.ts";

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
  const object = withMetadata(value);
  dedupOwnerReferences(object, context);
  return object;
}

/** The object, which always has metadata from here on, whatever its client sent. */
export function withMetadata(value: JsonObject): KubeObject {
  if (!isJsonObject(value.metadata)) value.metadata = {};
  return asObject(value);
}

/** With `Warn`, what strict decoding finds becomes warnings; those of the YAML reader one by one. */
export function warnOf(strictErrors: readonly string[], context: WriteContext): void {
  if (context.fieldValidation !== "Warn") return;
  for (const error of strictErrors) for (const warning of warningsIn(error)) context.warn(warning);
}

const yamlErrors = /^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/;

const warningsIn = (error: string): readonly string[] =>
  yamlErrors.test(error)
    ? error
        .replace(yamlErrors, "")
        .split("\n")
        .map((line) => line.trim())
    : [error];

/** Reads the options that a deletion may carry as its body, in the group and version of whatever is deleted. */
export function decodeDeleteOptions({ text, format }: EncodedBody): JsonObject {
  const { value } = decodeObject({
    text,
    format,
    schema: definitionSchema("meta.v1.DeleteOptions"),
    version: "v1",
    kind: "DeleteOptions",
    fieldValidation: "Ignore",
  });
  if (value.kind === "DeleteOptions") return value;
  // An object itself, sent along by mistake, does not say how it is to be deleted.
  throw refusals.badRequest(
    `no kind ${JSON.stringify(value.kind)} is registered for version ${JSON.stringify(value.apiVersion ?? "")}`,
  );
}
