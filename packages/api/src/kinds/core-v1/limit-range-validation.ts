import { fieldError } from "../../field-error.ts";
import type { LimitRange, LimitRangeItem } from "../../generated/types/core-v1.ts";
import { asMillis, compareQuantities } from "../../quantity.ts";
import { checkQualifiedName, checkUnique, type Findings } from "../../validation/checks.ts";
import { allowsOvercommit, checkContainerResourceName, checkResourceName } from "./resource-validation.ts";

const types = ["Pod", "Container", "PersistentVolumeClaim"];

/** The limits of a namespace, no two for the same type of thing. */
export function* checkLimitRange({ spec }: LimitRange): Findings {
  const seen = new Set<string>();
  for (const [index, item] of (spec?.limits ?? []).entries()) {
    const path = `spec.limits[${index}]`;
    yield* checkType(`${path}.type`, item.type ?? "");
    yield* checkUnique(`${path}.type`, item.type ?? "", seen);
    yield* checkItem(path, item);
  }
}

function* checkType(field: string, type: string): Findings {
  const problems = [...checkQualifiedName(field, type)];
  yield* problems;
  if (problems.length > 0 || type.includes("/") || types.includes(type)) return;
  yield fieldError.invalid(field, type, "must be a standard limit type or fully qualified");
}

function* checkItem(field: string, item: LimitRangeItem): Findings {
  const { type, min, max, maxLimitRequestRatio } = item;
  const check = type === "Pod" || type === "Container" ? checkContainerResourceName : checkResourceName;
  const names = new Set<string>();
  function* checkNames(member: keyof LimitRangeItem, amounts: Readonly<Record<string, string>> | undefined): Findings {
    for (const name of Object.keys(amounts ?? {})) {
      yield* check(`${field}.${member}[${name}]`, name);
      names.add(name);
    }
  }
  yield* checkNames("max", max);
  yield* checkNames("min", min);
  for (const member of ["default", "defaultRequest"] as const) {
    if (type !== "Pod") yield* checkNames(member, item[member]);
    else if (Object.keys(item[member] ?? {}).length > 0) {
      yield fieldError.forbidden(`${field}.${member}`, "may not be specified when `type` is 'Pod'");
    }
  }
  if (type === "PersistentVolumeClaim" && min?.storage === undefined && max?.storage === undefined) {
    const message = "either minimum or maximum storage value is required, but neither was provided";
    yield fieldError.required(`${field}.limits`, message);
  }
  yield* checkNames("maxLimitRequestRatio", maxLimitRequestRatio);
  for (const name of names) yield* checkOrder(field, item, name);
}

/** The bounds and defaults of one resource: in their order. */
function* checkOrder(field: string, item: LimitRangeItem, name: string): Findings {
  const isPod = item.type === "Pod";
  const [min, max, ratio] = [item.min?.[name], item.max?.[name], item.maxLimitRequestRatio?.[name]];
  const limit = isPod ? undefined : item.default?.[name];
  const request = isPod ? undefined : item.defaultRequest?.[name];
  const path = (member: string) => `${field}.${member}[${name}]`;
  if (exceeds(min, max)) {
    yield fieldError.invalid(path("min"), min, `min value ${min} is greater than max value ${max}`);
  }
  if (exceeds(min, request)) {
    const message = `min value ${min} is greater than default request value ${request}`;
    yield fieldError.invalid(path("defaultRequest"), request, message);
  }
  if (exceeds(request, max)) {
    const message = `default request value ${request} is greater than max value ${max}`;
    yield fieldError.invalid(path("defaultRequest"), request, message);
  }
  if (exceeds(request, limit)) {
    const message = `default request value ${request} is greater than default limit value ${limit}`;
    yield fieldError.invalid(path("defaultRequest"), request, message);
  }
  if (exceeds(min, limit)) {
    yield fieldError.invalid(path("default"), min, `min value ${min} is greater than default value ${limit}`);
  }
  if (exceeds(limit, max)) {
    yield fieldError.invalid(path("default"), max, `default value ${limit} is greater than max value ${max}`);
  }
  if (ratio !== undefined) yield* checkRatio(path("maxLimitRequestRatio"), ratio, { min, max });
  const fixed = limit !== undefined && request !== undefined && !allowsOvercommit(name);
  if (fixed && compareQuantities(limit, request) !== 0) {
    const message = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    yield fieldError.invalid(path("defaultRequest"), request, message);
  }
}

const exceeds = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && compareQuantities(one, other) > 0;

function* checkRatio(
  field: string,
  ratio: string,
  { min, max }: { readonly min: string | undefined; readonly max: string | undefined },
): Findings {
  if (compareQuantities(ratio, "1") < 0) yield fieldError.invalid(field, ratio, `ratio ${ratio} is less than 1`);
  if (min === undefined || max === undefined) return;
  const most = asMillis(max) / asMillis(min);
  if (asMillis(ratio) / 1000 <= most) return;
  yield fieldError.invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
}
