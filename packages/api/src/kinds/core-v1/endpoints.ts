import { defineResource } from "../../define-resource.ts";
import type { Endpoints as EndpointsObject } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { ipWarnings } from "../../validation/address-warnings.ts";
import { age, firstThree, joinHostPort } from "../columns.ts";
import { checkEndpoints } from "./endpoints-validation.ts";

/** The kind whose plural is its own name: type and definition are called the same. */
export type Endpoints = EndpointsObject;

function addressesText({ subsets }: Endpoints): string {
  if (!subsets?.length) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => joinHostPort(ip, port))),
  );
  return firstThree(all);
}

const columns: readonly Column<Endpoints>[] = [
  {
    title: "Endpoints",
    description: "The set of all endpoints is the union of all subsets.",
    value: addressesText,
  },
  age,
];

function warnings({ subsets = [] }: Endpoints): string[] {
  return subsets.flatMap((subset, index) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((member) =>
      (subset[member] ?? []).flatMap(({ ip }, at) => ipWarnings(`subsets[${index}].${member}[${at}].ip`, ip ?? "")),
    ),
  );
}

/** `endpoints`. */
export const Endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  columns,
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  warnings,
  validate: (endpoints) => [...checkEndpoints(endpoints)],
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
});
