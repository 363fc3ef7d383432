/** How much of something a device has, and in which pieces it can be given away. */
import { fieldError } from "../../field-error.ts";
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from "../../generated/types/resource-v1.ts";
import { addQuantities, asUnits, compareQuantities } from "../../quantity.ts";
import type { Findings } from "../../validation/checks.ts";
import { checkAttributeName, checkKeyedItems } from "./device-checks.ts";

const mostValues = 10;

/** Capacities by their names; only devices that several can have are given away in pieces. */
export function* checkCapacities(
  field: string,
  capacities: Readonly<Record<string, DeviceCapacity>>,
  isShared: boolean,
): Findings {
  for (const [name, { value, requestPolicy }] of Object.entries(capacities)) {
    const path = `${field}[${name}]`;
    yield* checkAttributeName(path, name);
    if (requestPolicy === undefined) continue;
    if (isShared) yield* checkPolicy(`${path}.requestPolicy`, requestPolicy, value ?? "0");
    else yield fieldError.forbidden(`${path}.requestPolicy`, "allowMultipleAllocations must be true");
  }
}

function* checkPolicy(field: string, policy: CapacityRequestPolicy, whole: string): Findings {
  const { validValues = [], validRange, default: preset } = policy;
  if (validValues.length > 0 && validRange) {
    const message =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return yield fieldError.forbidden(field, message);
  }
  if (validValues.length > 0) {
    if (preset === undefined) yield fieldError.required(`${field}.default`, "required when validValues is defined");
    else yield* checkValues(`${field}.validValues`, validValues, { preset, whole });
  } else if (validRange) {
    if (preset === undefined) yield fieldError.required(`${field}.default`, "required when validRange is defined");
    else yield* checkRange(`${field}.validRange`, validRange, { preset, whole });
  }
}

interface Amounts {
  /** What is given to who does not say how much. */
  readonly preset: string;
  /** All there is. */
  readonly whole: string;
}

function* checkValues(field: string, values: readonly string[], { preset, whole }: Amounts): Findings {
  for (const [index, value] of values.entries()) {
    const before = values[index - 1];
    if (before === undefined || compareQuantities(before, value) <= 0) continue;
    yield fieldError.invalid(`${field}[${index}]`, value, "values must be sorted in ascending order");
  }
  yield* checkKeyedItems(field, values, {
    limit: mostValues,
    *check(path, value) {
      if (compareQuantities(value, whole) <= 0) return;
      yield fieldError.invalid(path, value, `option is larger than capacity value: ${whole}`);
    },
    key: (value) => String(asUnits(value)),
  });
  if (values.some((value) => compareQuantities(value, preset) === 0)) return;
  yield fieldError.invalid(field, preset, "default value is not valid according to the requestPolicy");
}

function* checkRange(field: string, range: CapacityRequestPolicyRange, { preset, whole }: Amounts): Findings {
  const { min, max, step } = range;
  if (min === undefined) return yield fieldError.required(`${field}.min`, "required when validRange is defined");
  if (compareQuantities(min, whole) > 0) {
    yield fieldError.invalid(`${field}.min`, min, `min is larger than capacity value: ${whole}`);
  }
  if (compareQuantities(preset, min) < 0) {
    yield fieldError.invalid(`${field}.min`, preset, `default is less than min: ${min}`);
  }
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0)
      yield fieldError.invalid(`${field}.max`, min, `min is larger than max: ${max}`);
    if (compareQuantities(max, whole) > 0) {
      yield fieldError.invalid(`${field}.max`, max, `max is larger than capacity value: ${whole}`);
    }
    if (compareQuantities(preset, max) > 0) {
      yield fieldError.invalid(`${field}.max`, preset, `default is more than max: ${max}`);
    }
  }
  if (step === undefined) return;
  const added = addQuantities(min, step);
  if (compareQuantities(added, whole) > 0) {
    yield fieldError.invalid(`${field}.step`, step, `one step ${added} is larger than capacity value: ${whole}`);
  }
  for (const value of [preset, ...(max === undefined ? [] : [max])]) {
    if (asUnits(step) > 0 && (asUnits(value) - asUnits(min)) % asUnits(step) === 0) continue;
    const message = `value is not a multiple of a given step (${step}) from (${min})`;
    yield fieldError.invalid(`${field}.step`, value, message);
  }
}
