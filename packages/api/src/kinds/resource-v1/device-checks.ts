/** Checks that claims, classes and slices of devices are made of. */
import { isJsonObject } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type {
  CELDeviceSelector,
  DeviceSelector,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from "../../generated/types/resource-v1.ts";
import {
  checkChoice,
  checkDnsSubdomain,
  checkQualifiedName,
  checkRequiredChoice,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { cIdentifier, labelValue } from "../../validation/names.ts";
import { checkCsiDriverName } from "../core-v1/remote-volume-validation.ts";

/** The most there can be of things, and how long they can be. */
export const most = {
  requests: 32,
  constraints: 32,
  config: 32,
  selectors: 32,
  firstAvailable: 8,
  expressionBytes: 10_240,
  parameterBytes: 10_240,
  consumers: 256,
  results: 32,
  poolName: 253,
  identifier: 32,
} as const;

/** Items of a list that is not too long; a longer one is not looked at any further. */
export function* checkItems<T>(
  field: string,
  items: readonly T[] | undefined,
  { limit, check }: { readonly limit: number; readonly check: (path: string, item: T) => Findings },
): Findings {
  if (items === undefined) return;
  if (items.length > limit) return yield fieldError.tooMany(field, items.length, limit);
  for (const [index, item] of items.entries()) yield* check(`${field}[${index}]`, item);
}

/** The same of a list in which no two items have the same key. */
export function* checkKeyedItems<T>(
  field: string,
  items: readonly T[] | undefined,
  rules: {
    readonly limit: number;
    readonly check: (path: string, item: T) => Findings;
    readonly key: (item: T) => string;
  },
): Findings {
  yield* checkItems(field, items, rules);
  if (items === undefined || items.length > rules.limit) return;
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const key = rules.key(item);
    if (seen.has(key)) yield fieldError.duplicate(`${field}[${index}]`, key);
    seen.add(key);
  }
}

/** The name of a pool: subdomains with slashes between them. */
export function* checkPoolName(field: string, name: string | undefined): Findings {
  if (!name) return yield fieldError.required(field);
  if (name.length > most.poolName) yield fieldError.tooLong(field, most.poolName);
  for (const part of name.split("/")) yield* checkDnsSubdomain(field, part);
}

/** Expressions that choose devices. */
export const checkSelectors = (field: string, selectors: readonly DeviceSelector[] | undefined): Findings =>
  checkItems(field, selectors, { limit: most.selectors, check: checkSelector });

function* checkSelector(field: string, { cel }: DeviceSelector): Findings {
  if (cel === undefined) yield fieldError.required(`${field}.cel`);
  else yield* checkExpression(`${field}.cel.expression`, cel);
}

function* checkExpression(field: string, { expression = "" }: CELDeviceSelector): Findings {
  if (expression.length > most.expressionBytes) yield fieldError.tooLong(field, most.expressionBytes);
}

/** What a driver is told, in a form of its own. */
export function* checkOpaque(field: string, opaque: OpaqueDeviceConfiguration | undefined): Findings {
  if (opaque === undefined) return yield fieldError.required(`${field}.opaque`);
  yield* checkCsiDriverName(`${field}.opaque.driver`, opaque.driver ?? "");
  yield* checkObject(`${field}.opaque.parameters`, opaque.parameters, most.parameterBytes);
}

/** An object of any form that is not too long. */
export function* checkObject(field: string, value: unknown, limit: number): Findings {
  if (value === undefined || value === null) yield fieldError.required(field);
  else if (JSON.stringify(value).length > limit) yield fieldError.tooLong(field, limit);
  else if (!isJsonObject(value)) {
    yield fieldError.invalid(field, "<value omitted>", "must be a valid JSON object");
  }
}

/** Taints of devices that somebody puts up with. */
export function* checkDeviceToleration(field: string, toleration: DeviceToleration): Findings {
  const { key, operator, value = "", effect } = toleration;
  if (key) yield* checkQualifiedName(`${field}.key`, key);
  else if (operator !== "Exists") {
    const message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    yield fieldError.invalid(`${field}.operator`, operator ?? "", message);
  }
  yield* checkRequiredChoice(`${field}.operator`, operator, ["Equal", "Exists"]);
  if (operator === "Equal") yield* invalidFor(`${field}.value`, value, labelValue(value));
  if (operator === "Exists" && value !== "") {
    yield fieldError.invalid(`${field}.value`, value, "must be empty for operator `Exists`");
  }
  if (effect) yield* checkChoice(`${field}.effect`, effect, ["NoExecute", "NoSchedule"]);
}

/** The name of an attribute: `DOMAIN/ID`, or an id of the driver's own domain. */
export function* checkAttributeName(field: string, name: string): Findings {
  const parts = name.split("/");
  const [domain = "", id] = parts;
  if (parts.length > 2) return;
  if (id === undefined) return yield* checkIdentifier(field, domain);
  if (domain === "") yield fieldError.invalid(field, "", "the domain must not be empty");
  else yield* checkCsiDriverName(field, domain);
  if (id === "") yield fieldError.invalid(field, "", "the name must not be empty");
  else yield* checkIdentifier(field, id);
}

/** The same with a domain. */
export function* checkFullAttributeName(field: string, name: string): Findings {
  yield* checkAttributeName(field, name);
  if (name.includes("/")) return;
  const message = "a fully qualified name must be a domain and a name separated by a slash";
  yield fieldError.invalid(field, name, message);
}

function* checkIdentifier(field: string, id: string): Findings {
  if (id.length > most.identifier) yield fieldError.tooLong(field, most.identifier);
  yield* invalidFor(field, id, cIdentifier(id));
}
