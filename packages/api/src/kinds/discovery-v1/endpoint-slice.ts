import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { EndpointSlice } from "../../generated/types/discovery-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable } from "../../validation/checks.ts";
import { age, firstThree } from "../columns.ts";
import { checkEndpointSlice } from "./endpoint-slice-validation.ts";

const columns: readonly Column<EndpointSlice>[] = [
  {
    title: "AddressType",
    description: "addressType specifies the type of address carried by this EndpointSlice.",
    value: ({ addressType }) => addressType,
  },
  {
    title: "Ports",
    description: "ports specifies the list of network ports exposed by each endpoint in this slice.",
    value: ({ ports }) =>
      firstThree((ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? "*") : String(port)))) ||
      "<unset>",
  },
  {
    title: "Endpoints",
    description: "endpoints is a list of unique endpoints in this slice.",
    value: ({ endpoints }) => firstThree((endpoints ?? []).flatMap(({ addresses }) => addresses)) || "<unset>",
  },
  age,
];

/** `endpointslices.discovery.k8s.io`. */
export const EndpointSlices = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  generation: "object",
  columns,
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: (slice) => [...checkEndpointSlice(slice)],
  validateUpdate: (slice, old) => [...checkImmutable("addressType", slice.addressType, old.addressType)],
  changesGeneration: (slice, old) =>
    !jsonEqual(slice.endpoints, old.endpoints) ||
    !jsonEqual(slice.ports, old.ports) ||
    slice.addressType !== old.addressType ||
    !jsonEqual(slice.metadata.labels, old.metadata.labels),
});
