import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { EndpointSlice } from "../../generated/types/discovery-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { ipWarnings } from "../../validation/address-warnings.ts";
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

function warnings({ addressType, endpoints = [] }: EndpointSlice): string[] {
  if (addressType === "FQDN") return ["spec.addressType: FQDN endpoints are deprecated"];
  return endpoints.flatMap(({ addresses = [] }, index) =>
    addresses.flatMap((address, at) => ipWarnings(`endpoints[${index}].addresses[${at}]`, address)),
  );
}

const hostLabel = "kubernetes.io/hostname";

/**
 * What endpoints say of topology cannot be written anymore. It stays where endpoints stay as they are; where they change,
 * names of nodes that were only there go to the field that is for them.
 */
function dropTopology(slice: EndpointSlice, old?: EndpointSlice): void {
  if (old !== undefined && jsonEqual(old.endpoints, slice.endpoints)) return;
  const before = new Set((old?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[hostLabel]));
  for (const endpoint of slice.endpoints ?? []) {
    const host = endpoint.deprecatedTopology?.[hostLabel];
    if (endpoint.nodeName === undefined && host !== undefined && before.has(host)) endpoint.nodeName = host;
    delete endpoint.deprecatedTopology;
  }
}

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
  prepareCreate: (slice) => dropTopology(slice),
  prepareUpdate: dropTopology,
  warnings,
  validate: (slice) => [...checkEndpointSlice(slice)],
  validateUpdate: (slice, old) => [...checkImmutable("addressType", slice.addressType, old.addressType)],
  changesGeneration: (slice, old) =>
    !jsonEqual(slice.endpoints, old.endpoints) ||
    !jsonEqual(slice.ports, old.ports) ||
    slice.addressType !== old.addressType ||
    !jsonEqual(slice.metadata.labels, old.metadata.labels),
});
