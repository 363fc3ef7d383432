import { jsonEqual } from "@skiff/base";
import { fieldError } from "../field-error.ts";
import { type Findings, invalidFor } from "../validation/checks.ts";
import { configMapKey } from "../validation/names.ts";

/** The most that a ConfigMap or Secret holds. */
export const dataLimitBytes = 1_048_576;

/** Keys that are file names. */
export function* checkDataKeys(field: string, data: Readonly<Record<string, string>> | undefined): Findings {
  for (const key of Object.keys(data ?? {})) yield* invalidFor(`${field}[${key}]`, key, configMapKey(key));
}

/** Bytes that base64 text stands for. */
export const base64Bytes = (text: string): number => Buffer.byteLength(text, "base64");

interface Sealed {
  readonly immutable?: boolean | undefined;
}

/** Objects that were sealed keep their content, and stay sealed. */
export function* checkSealed<T extends Sealed>(object: T, old: T, fields: readonly (keyof T & string)[]): Findings {
  if (old.immutable !== true) return;
  const message = "field is immutable when `immutable` is set";
  if (object.immutable !== true) yield fieldError.forbidden("immutable", message);
  for (const field of fields) {
    if (!jsonEqual(object[field] ?? {}, old[field] ?? {})) yield fieldError.forbidden(field, message);
  }
}
