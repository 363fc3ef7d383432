import { isIPv6 } from "node:net";
import { fieldError } from "../../field-error.ts";
import type { Service } from "../../generated/types/core-v1.ts";
import { checkChoice, checkIP, checkUnique, type Findings } from "../../validation/checks.ts";
import { isHeadlessService, needsHealthCheckNodePort } from "./service-traits.ts";

const clusterIPsField = "spec.clusterIPs";

/** `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy`, which must tell the same. */
export function* checkServiceAddresses(service: Service): Findings {
  const { spec } = service;
  if (spec.type === "ExternalName") return;
  const clusterIPs = spec.clusterIPs ?? [];
  if (spec.clusterIP) {
    if (clusterIPs.length === 0) yield fieldError.required(clusterIPsField);
    else if (clusterIPs[0] !== spec.clusterIP) {
      yield fieldError.invalid(clusterIPsField, clusterIPs, "first value must match `clusterIP`");
    }
  } else if (clusterIPs.length > 0) {
    yield fieldError.invalid(clusterIPsField, clusterIPs, "must be empty when `clusterIP` is not specified");
  }
  const seen = new Set<string>();
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    yield* checkChoice(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]);
    yield* checkUnique(`spec.ipFamilies[${index}]`, family, seen);
  }
  yield* checkChoice("spec.ipFamilyPolicy", spec.ipFamilyPolicy, [
    "PreferDualStack",
    "RequireDualStack",
    "SingleStack",
  ]);
  const wrong = [...checkEach(clusterIPs)];
  yield* wrong;
  if (clusterIPs.length > 2) yield fieldError.invalid(clusterIPsField, clusterIPs, "may only hold up to 2 values");
  // What follows would only repeat that the addresses are no addresses.
  if (wrong.length === 0) yield* checkFamilies(service, clusterIPs);
}

function* checkEach(clusterIPs: readonly string[]): Findings {
  for (const [index, address] of clusterIPs.entries()) {
    if (index > 0 || address !== "None") yield* checkIP(`${clusterIPsField}[${index}]`, address);
    else if (clusterIPs.length > 1) {
      yield fieldError.invalid(clusterIPsField, clusterIPs, "'None' must be the first and only value");
    }
  }
}

function* checkFamilies(service: Service, clusterIPs: readonly string[]): Findings {
  const sixes = clusterIPs.filter((address) => isIPv6(address)).length;
  if (clusterIPs.length > 1 && (sixes === 0 || sixes === clusterIPs.length)) {
    yield fieldError.invalid(clusterIPsField, clusterIPs, "may specify no more than one IP for each IP family");
  }
  if (isHeadlessService(service)) return;
  for (const [index, address] of clusterIPs.entries()) {
    const family = service.spec.ipFamilies?.[index];
    if (family === undefined || (family === "IPv6") === isIPv6(address)) continue;
    const message = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    yield fieldError.invalid(`${clusterIPsField}[${index}]`, address, message);
  }
}

const fixed = "may not change once set";

/** A change of a Service: addresses stay, a second family may come and go. */
export function* checkServiceUpdate(service: Service, old: Service): Findings {
  if (service.spec.type !== "ExternalName" && old.spec.type !== "ExternalName") {
    if (!isHeadlessService(service) || !isHeadlessService(old)) yield* checkClusterIPsUpdate(service, old);
    if (!isHeadlessService(service) && !isHeadlessService(old)) yield* checkFamiliesUpdate(service, old);
  }
  const { loadBalancerClass } = service.spec;
  const balanced = service.spec.type === "LoadBalancer" && old.spec.type === "LoadBalancer";
  if (balanced && loadBalancerClass !== old.spec.loadBalancerClass) {
    yield fieldError.invalid("spec.loadBalancerClass", loadBalancerClass ?? null, fixed);
  }
  const checked = needsHealthCheckNodePort(service) && needsHealthCheckNodePort(old);
  if (checked && service.spec.healthCheckNodePort !== old.spec.healthCheckNodePort) {
    yield fieldError.forbidden("spec.healthCheckNodePort", "field is immutable");
  }
}

function* checkClusterIPsUpdate({ spec }: Service, { spec: old }: Service): Findings {
  const clusterIPs = spec.clusterIPs ?? [];
  const before = old.clusterIPs ?? [];
  if (clusterIPs.length === before.length) {
    for (const [index, address] of before.entries()) {
      if (clusterIPs[index] !== address) yield fieldError.invalid(`spec.clusterIPs[${index}]`, clusterIPs, fixed);
    }
    return;
  }
  if (clusterIPs.length === 0) {
    yield fieldError.invalid("spec.clusterIPs[0]", clusterIPs, "primary clusterIP can not be unset");
  } else if (before.length > 0 && clusterIPs[0] !== before[0]) {
    yield fieldError.invalid("spec.clusterIPs[0]", clusterIPs, fixed);
  }
  if (before.length > clusterIPs.length && clusterIPs.length === 1 && spec.ipFamilyPolicy !== "SingleStack") {
    const message = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    yield fieldError.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy ?? null, message);
  }
}

function* checkFamiliesUpdate({ spec }: Service, { spec: old }: Service): Findings {
  const families = spec.ipFamilies ?? [];
  const before = old.ipFamilies ?? [];
  const field = "spec.ipFamilies[0]";
  if (families.length === before.length) {
    if (families.some((family, index) => family !== before[index])) yield fieldError.invalid(field, families, fixed);
    return;
  }
  if (families.length > 0 && before.length > 0 && families[0] !== before[0]) {
    yield fieldError.invalid(field, families, fixed);
  }
  if (before.length > families.length && families.length === 1 && spec.ipFamilyPolicy !== "SingleStack") {
    const message = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    yield fieldError.invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy ?? null, message);
  }
}
