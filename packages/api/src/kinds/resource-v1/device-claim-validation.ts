/** What a claim asks for. */
import { fieldError } from "../../field-error.ts";
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
} from "../../generated/types/resource-v1.ts";
import { checkDnsLabel, checkDnsSubdomain, type Findings } from "../../validation/checks.ts";
import {
  checkDeviceToleration,
  checkFullAttributeName,
  checkItems,
  checkKeyedItems,
  checkOpaque,
  checkSelectors,
  most,
} from "./device-checks.ts";

/** Names of requests, and of the alternatives within them. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

/** The names that other parts of a claim can refer to. */
export const requestNames = ({ requests = [] }: DeviceClaim): RequestNames =>
  new Map(requests.map(({ name, firstAvailable = [] }) => [name, new Set(firstAvailable.map((sub) => sub.name))]));

/** What a claim asks for. */
export function* checkDeviceClaim(field: string, claim: DeviceClaim = {}): Findings {
  const names = requestNames(claim);
  yield* checkKeyedItems(`${field}.requests`, claim.requests, {
    limit: most.requests,
    check: checkRequest,
    key: ({ name }) => name ?? "",
  });
  yield* checkItems(`${field}.constraints`, claim.constraints, {
    limit: most.constraints,
    check: (path, constraint) => checkConstraint(path, constraint, names),
  });
  yield* checkItems(`${field}.config`, claim.config, {
    limit: most.config,
    *check(path, config) {
      yield* checkRequestRefs(`${path}.requests`, config.requests, names);
      yield* checkOpaque(path, config.opaque);
    },
  });
}

function* checkRequest(field: string, { name = "", exactly, firstAvailable = [] }: DeviceRequest): Findings {
  yield* checkDnsLabel(`${field}.name`, name);
  const hasAlternatives = firstAvailable.length > 0;
  if (!exactly && !hasAlternatives) {
    yield fieldError.required(field, "exactly one of `exactly` or `firstAvailable` is required");
  } else if (exactly && hasAlternatives) {
    const message = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
    yield fieldError.invalid(field, null, message);
  } else if (exactly) yield* checkAsked(`${field}.exactly`, exactly);
  else {
    yield* checkKeyedItems(`${field}.firstAvailable`, firstAvailable, {
      limit: most.firstAvailable,
      *check(path, sub) {
        yield* checkDnsLabel(`${path}.name`, sub.name ?? "");
        yield* checkAsked(path, sub);
      },
      key: (sub) => sub.name ?? "",
    });
  }
}

function* checkAsked(field: string, asked: ExactDeviceRequest | DeviceSubRequest): Findings {
  const { deviceClassName, selectors, allocationMode: mode = "", count = 0, tolerations = [] } = asked;
  if (!deviceClassName) yield fieldError.required(`${field}.deviceClassName`);
  else yield* checkDnsSubdomain(`${field}.deviceClassName`, deviceClassName);
  yield* checkSelectors(`${field}.selectors`, selectors);
  if (mode === "All") {
    const message = "must not be specified when allocationMode is 'All'";
    if (count !== 0) yield fieldError.invalid(`${field}.count`, count, message);
  } else if (mode === "ExactCount") {
    if (count <= 0) yield fieldError.invalid(`${field}.count`, count, "must be greater than zero");
  } else yield fieldError.notSupported(`${field}.allocationMode`, mode, ["All", "ExactCount"]);
  for (const [index, toleration] of tolerations.entries()) {
    yield* checkDeviceToleration(`${field}.tolerations[${index}]`, toleration);
  }
}

function* checkConstraint(field: string, constraint: DeviceConstraint, names: RequestNames): Findings {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  yield* checkRequestRefs(`${field}.requests`, requests, names);
  if (matchAttribute !== undefined) yield* checkFullAttributeName(`${field}.matchAttribute`, matchAttribute);
  else if (distinctAttribute !== undefined) {
    yield* checkFullAttributeName(`${field}.distinctAttribute`, distinctAttribute);
  } else {
    const message = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    yield fieldError.required(field, message);
  }
}

/** References to requests, no two of which are the same. */
export const checkRequestRefs = (field: string, refs: readonly string[] | undefined, names: RequestNames): Findings =>
  checkKeyedItems(field, refs, {
    limit: most.requests,
    check: (path, name) => checkRequestRef(path, name, names),
    key: (name) => name,
  });

/** A reference to a request, or to one of its alternatives. */
export function* checkRequestRef(field: string, ref: string, names: RequestNames): Findings {
  const parts = ref.split("/");
  const [request = "", alternative] = parts;
  const message =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  if (parts.length > 2) return yield fieldError.invalid(field, ref, message);
  for (const part of parts) yield* checkDnsLabel(field, part);
  const known = names.get(request);
  const found = known !== undefined && (alternative === undefined || known.has(alternative));
  if (!found) yield fieldError.invalid(field, ref, message);
}
