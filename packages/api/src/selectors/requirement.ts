import { assertNever } from "@skiff/base";
import { fieldError, fieldErrorText } from "../field-error.ts";
import { labelValue, qualifiedName } from "../validation/names.ts";
import { SelectorError } from "./selector-error.ts";

export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

/** One condition on one label. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

const integer = /^[+-]?[0-9]{1,18}$/;

/** The requirement, if its key, values and operator go together. Throws `SelectorError`. */
export function checkRequirement(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  const errors: string[] = [];
  const keyFaults = qualifiedName(key);
  if (keyFaults.length > 0) errors.push(fieldErrorText(fieldError.invalid("key", key, keyFaults.join("; "))));
  const count = countFault(operator, values.length);
  if (count !== undefined) errors.push(fieldErrorText(fieldError.invalid("values", values, count)));
  if ((operator === "gt" || operator === "lt") && values.some((value) => !integer.test(value))) {
    const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
    errors.push(fieldErrorText(fieldError.invalid("values[0]", values[0], detail)));
  }
  values.forEach((value, index) => {
    const faults = labelValue(value);
    if (faults.length > 0)
      errors.push(fieldErrorText(fieldError.invalid(`values[${index}][${key}]`, value, faults.join("; "))));
  });
  if (errors.length === 0) return requirement;
  throw new SelectorError(errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`);
}

function countFault(operator: LabelOperator, count: number): string | undefined {
  switch (operator) {
    case "in":
    case "notin":
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case "=":
    case "==":
    case "!=":
      return count === 1 ? undefined : "exact-match compatibility requires one single value";
    case "exists":
    case "!":
      return count === 0 ? undefined : "values set must be empty for exists and does not exist";
    case "gt":
    case "lt":
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
    default:
      return assertNever(operator);
  }
}

/** True when the labels meet the requirement. `!=` and `notin` hold for objects without the label. */
export function satisfies({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt": {
      if (value === undefined || !integer.test(value)) return false;
      const difference = BigInt(value.replace("+", "")) - BigInt((values[0] ?? "").replace("+", ""));
      return operator === "gt" ? difference > 0n : difference < 0n;
    }
    default:
      return assertNever(operator);
  }
}

/** As in a query: `a=b`, `c in (x,y)`, `!d`. */
export function requirementText({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${[...values].sort().join(",")})`;
    case "gt":
      return `${key}>${values[0]}`;
    case "lt":
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}
