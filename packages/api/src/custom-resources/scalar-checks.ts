import type { JsonValue } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import { hasFormat } from "./formats.ts";
import type { StructuralSchema, ValueChecks } from "./structural-schema.ts";
import type { Outcome, Placed } from "./validate-value.ts";

const nothing: Outcome = { findings: [], weight: 0 };

/** Findings in a single text or number. */
export function scalarFindings({ value, path }: Placed, { checks, type }: StructuralSchema): Outcome {
  if (typeof value === "string") return { findings: [...textFindings(value, path, checks)], weight: 1 };
  if (typeof value === "number" || typeof value === "bigint")
    return { findings: [...numberFindings(value, path, checks, type)], weight: 1 };
  return nothing;
}

function* textFindings(value: string, path: string, checks: ValueChecks): Iterable<FieldError> {
  const { minLength, maxLength, pattern, format } = checks;
  if (minLength !== undefined || maxLength !== undefined) {
    const length = [...value].length;
    if (maxLength !== undefined && length > maxLength) yield fieldError.tooLong(path, maxLength);
    if (minLength !== undefined && length < minLength) {
      yield fieldError.invalid(path, value, `${path} in body should be at least ${minLength} chars long`);
    }
  }
  if (pattern !== undefined && pattern.expression?.test(value) === false) {
    yield fieldError.invalid(path, value, `${path} in body should match '${pattern.text}'`);
  }
  if (format !== "" && !hasFormat(value, format)) {
    const message = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
    yield fieldError.typeInvalid(path, value, message);
  }
}

function* numberFindings(
  value: number | bigint,
  path: string,
  checks: ValueChecks,
  type: string,
): Iterable<FieldError> {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum, format } = checks;
  const refuse = (bad: JsonValue, what: string) => fieldError.invalid(path, bad, `${path} in body should be ${what}`);
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) yield refuse(value, `a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    yield refuse(value, exclusiveMaximum ? `less than ${maximum}` : `less than or equal to ${maximum}`);
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    yield refuse(value, exclusiveMinimum ? `greater than ${minimum}` : `greater than or equal to ${minimum}`);
  }
  if (type === "integer" && format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31)) {
    const message = `Checked value must be of type ${type} with format ${format} in body`;
    yield fieldError.invalid(path, value, message);
  }
}

/** Division of decimal fractions is not exact: what is nearly whole is meant to be. */
function isMultiple(value: number | bigint, of: number): boolean {
  if (typeof value === "bigint")
    return Number.isInteger(of) ? value % BigInt(of) === 0n : isMultiple(Number(value), of);
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}
