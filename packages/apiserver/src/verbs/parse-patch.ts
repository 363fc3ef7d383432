import {
  type FieldError,
  type FieldValidation,
  fieldError,
  type ParsedPatch,
  type PatchType,
  parseConfiguration,
  parsePatch,
  refusals,
} from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { refuseOptions } from "./write-options.ts";

/** The configuration of a server-side apply, read. */
export interface ParsedConfiguration {
  readonly type: "apply";
  readonly value: JsonObject;
  /** Keys that it says twice. */
  readonly strictErrors: readonly string[];
}

export type PatchBody = ParsedPatch | ParsedConfiguration;

/** Reads a patch's body. Throws 400. */
export function parsePatchBody(type: PatchType, text: string, fieldValidation: FieldValidation): PatchBody {
  return type === "apply"
    ? { type, ...parseConfiguration(text, fieldValidation) }
    : parsePatch(type, text, fieldValidation);
}

/** The same for a patch that was never text. */
export function patchBodyOf(type: PatchType, value: JsonValue): PatchBody {
  if (type !== "apply") return { type, value, strictErrors: [] };
  if (!isJsonObject(value)) throw refusals.badRequest("error decoding YAML: the configuration is not an object");
  return { type, value, strictErrors: [] };
}

/** What of a patch's options depends on its type. */
export interface PatchOptions {
  readonly type: PatchType;
  /** `undefined` where it is not given. */
  readonly force: boolean | undefined;
  readonly hasManager: boolean;
}

/** Throws 422 for options that do not go with the type of a patch. */
export function checkPatchOptions({ type, force, hasManager }: PatchOptions): void {
  const errors: FieldError[] = [];
  if (type !== "apply" && force !== undefined) {
    errors.push(fieldError.forbidden("force", "may not be specified for non-apply patch"));
  }
  if (type === "apply" && !hasManager) {
    errors.push(fieldError.required("fieldManager", "is required for apply patch"));
  }
  refuseOptions("PatchOptions", errors);
}
