import type { JsonValue } from "@skiff/base";

/**
 * What is wrong with one field, in the classes that Kubernetes' validation knows. `text` of a field error, and so the
 * message of an `Invalid` status, is formed by class: see `fieldErrorText`.
 */
export type FieldErrorKind =
  | "required"
  | "invalid"
  | "notSupported"
  | "forbidden"
  | "duplicate"
  | "tooLong"
  | "tooMany"
  | "notFound"
  | "typeInvalid"
  | "internal";

/** One finding of validation. */
export interface FieldError {
  readonly kind: FieldErrorKind;
  /** Path as Kubernetes writes it: `spec.containers[0].name`, `metadata.labels`. */
  readonly field: string;
  /** The offending value, where the class shows it. */
  readonly value?: unknown;
  readonly detail: string;
}

const titles: Readonly<Record<FieldErrorKind, { readonly title: string; readonly reason: string }>> = {
  required: { title: "Required value", reason: "FieldValueRequired" },
  invalid: { title: "Invalid value", reason: "FieldValueInvalid" },
  notSupported: { title: "Unsupported value", reason: "FieldValueNotSupported" },
  forbidden: { title: "Forbidden", reason: "FieldValueForbidden" },
  duplicate: { title: "Duplicate value", reason: "FieldValueDuplicate" },
  tooLong: { title: "Too long", reason: "FieldValueTooLong" },
  tooMany: { title: "Too many", reason: "FieldValueTooMany" },
  notFound: { title: "Not found", reason: "FieldValueNotFound" },
  typeInvalid: { title: "Invalid value", reason: "FieldValueTypeInvalid" },
  internal: { title: "Internal error", reason: "InternalError" },
};

/** The `reason` of a status cause. */
export const fieldErrorReason = (error: FieldError): string => titles[error.kind].reason;

/** Stands for a value that is not shown: too long to help, or of the object as a whole. */
export const omittedValue = Symbol("omitted");

/** A finding without its path, as in a status cause: `Invalid value: -1: must be greater than or equal to 0`. */
export function fieldErrorBody(error: FieldError): string {
  const { title } = titles[error.kind];
  const shown = shownValue(error);
  const parts = [title, ...(shown === undefined ? [] : [shown]), ...(error.detail === "" ? [] : [error.detail])];
  return parts.join(": ");
}

/** A finding with its path: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. */
export const fieldErrorText = (error: FieldError): string => `${error.field}: ${fieldErrorBody(error)}`;

function shownValue(error: FieldError): string | undefined {
  switch (error.kind) {
    case "required":
    case "forbidden":
    case "internal":
    case "tooLong":
    case "tooMany":
      return undefined;
    default:
      if (error.value === omittedValue) return undefined;
      return error.value === undefined || error.value === null ? "null" : JSON.stringify(error.value);
  }
}

/** Shorthands, one a class, so that validation reads as a list of findings. */
export const fieldError = {
  required: (field: string, detail = ""): FieldError => ({ kind: "required", field, detail }),
  invalid: (field: string, value: unknown, detail: string): FieldError => ({ kind: "invalid", field, value, detail }),
  /** Lists the supported values in order: `supported values: "ClusterIP", "NodePort"`. */
  notSupported: (field: string, value: unknown, supported: readonly string[]): FieldError => ({
    kind: "notSupported",
    field,
    value,
    detail:
      supported.length === 0 ? "" : `supported values: ${supported.map((name) => JSON.stringify(name)).join(", ")}`,
  }),
  forbidden: (field: string, detail: string): FieldError => ({ kind: "forbidden", field, detail }),
  duplicate: (field: string, value: unknown): FieldError => ({ kind: "duplicate", field, value, detail: "" }),
  tooLong: (field: string, limit: number): FieldError => ({
    kind: "tooLong",
    field,
    detail: `may not be more than ${limit} bytes`,
  }),
  tooMany: (field: string, actual: number, limit: number): FieldError => ({
    kind: "tooMany",
    field,
    value: actual,
    detail: `${actual}: must have at most ${limit} items`,
  }),
  notFound: (field: string, value: unknown): FieldError => ({ kind: "notFound", field, value, detail: "" }),
  typeInvalid: (field: string, value: JsonValue | undefined, detail: string): FieldError => ({
    kind: "typeInvalid",
    field,
    value,
    detail,
  }),
} as const;
