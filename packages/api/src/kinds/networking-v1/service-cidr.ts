import { isIPv4 } from "node:net";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { ServiceCIDR } from "../../generated/types/networking-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkCanonicalCIDR } from "../../validation/addresses.ts";
import { type Findings, immutableMessage } from "../../validation/checks.ts";
import { age } from "../columns.ts";

const columns: readonly Column<ServiceCIDR>[] = [
  {
    title: "CIDRs",
    description: "CIDRs defines the IP blocks in CIDR notation.",
    value: ({ spec }) => (spec?.cidrs ?? []).join(","),
  },
  age,
];

const field = "spec.cidrs";

function* checkRanges(cidrs: readonly string[]): Findings {
  if (cidrs.length === 0) return yield fieldError.required(field, "at least one CIDR required");
  if (cidrs.length > 2) return yield fieldError.tooMany(field, cidrs.length, 2);
  const problems = cidrs.flatMap((cidr, index) => [...checkCanonicalCIDR(`${field}[${index}]`, cidr)]);
  yield* problems;
  const [first = "", second] = cidrs.map((cidr) => isIPv4(cidr.split("/")[0] ?? ""));
  if (second === undefined || first !== second || problems.length > 0) return;
  const message = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
  yield fieldError.invalid(field, cidrs, message);
}

/** A second family may join; nothing else changes. */
function* checkChange(cidrs: readonly string[], old: readonly string[]): Findings {
  const joins = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !joins) return yield fieldError.invalid(field, cidrs, immutableMessage);
  for (const [index, cidr] of old.entries()) {
    if (cidr !== cidrs[index]) yield fieldError.invalid(`${field}[${index}]`, cidrs[index], immutableMessage);
  }
  if (joins) yield* checkRanges(cidrs);
}

/** `servicecidrs.networking.k8s.io`. */
export const ServiceCIDRs = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  generation: "none",
  columns,
  validate: ({ spec }, old) => (old === undefined ? [...checkRanges(spec?.cidrs ?? [])] : []),
  validateUpdate: ({ spec }, old) => [...checkChange(spec?.cidrs ?? [], old.spec?.cidrs ?? [])],
});
