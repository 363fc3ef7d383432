import { isIPv6 } from "node:net";
import { jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Node } from "../../generated/types/core-v1.ts";
import { checkCIDR, checkUnique, type Findings } from "../../validation/checks.ts";
import { checkAmount } from "./resource-validation.ts";
import { checkTaints } from "./scheduling-validation.ts";

export function* checkNode({ spec, status }: Node): Findings {
  // Kubernetes gives this path, although taints are in the spec.
  yield* checkTaints("metadata.taints", spec.taints ?? []);
  for (const kind of ["capacity", "allocatable"] as const) {
    for (const [name, amount] of Object.entries(status?.[kind] ?? {})) {
      yield* checkAmount(`status.${kind}.${name}`, name, amount);
    }
  }
  yield* checkDeclaredFeatures(status);
  const podCIDRs = spec.podCIDRs ?? [];
  const seen = new Set<string>();
  for (const [index, range] of podCIDRs.entries()) {
    yield* checkCIDR(`spec.podCIDRs[${index}]`, range);
    yield* checkUnique(`spec.podCIDRs[${index}]`, range, seen);
  }
  const sixes = podCIDRs.filter((range) => isIPv6(range.split("/")[0] ?? "")).length;
  if (podCIDRs.length > 2 || (podCIDRs.length === 2 && sixes !== 1)) {
    yield fieldError.invalid("spec.podCIDRs", podCIDRs, "may specify no more than one CIDR for each IP family");
  }
}

const featureName = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const featureNameLimit = 253;

/** Names of what a node can do, in alphabetical order. */
export function* checkDeclaredFeatures(status: Node["status"]): Findings {
  const field = "status.declaredFeatures";
  const features = status?.declaredFeatures ?? [];
  for (const [index, name] of features.entries()) {
    const problem =
      name.length > featureNameLimit
        ? `must be no more than ${featureNameLimit} characters`
        : featureName.test(name)
          ? undefined
          : "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";
    if (problem !== undefined) {
      const message = `invalid feature name ${JSON.stringify(name)}: ${problem}`;
      yield fieldError.invalid(`${field}[${index}]`, name, message);
    }
    const next = features[index + 1];
    if (next === undefined) continue;
    if (next === name) yield fieldError.duplicate(`${field}[${index + 1}]`, next);
    else if (name > next)
      yield fieldError.invalid(`${field}[${index + 1}]`, next, "list must be sorted alphabetically");
  }
}

/** A change of a node or its status: what was assigned once stays. */
export function* checkNodeUpdate({ spec, status }: Node, { spec: old }: Node): Findings {
  const addresses = status?.addresses ?? [];
  for (const [index, address] of addresses.entries()) {
    const before = addresses.slice(0, index).some((other) => jsonEqual(other, address));
    if (before) yield fieldError.duplicate(`status.addresses[${index}]`, address);
  }
  if (old.podCIDRs?.length && !jsonEqual(old.podCIDRs, spec.podCIDRs)) {
    yield fieldError.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
  }
  if (old.providerID && old.providerID !== spec.providerID) {
    yield fieldError.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid');
  }
  if ((spec.externalID ?? "") !== (old.externalID ?? "")) {
    yield fieldError.forbidden("spec.externalID", "may not be updated");
  }
}
