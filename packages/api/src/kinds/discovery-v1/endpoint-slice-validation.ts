import { isIPv4, isIPv6 } from "node:net";
import { fieldError } from "../../field-error.ts";
import type { Endpoint, EndpointHints, EndpointSlice } from "../../generated/types/discovery-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkNonSpecialIP,
  checkQualifiedName,
  checkRange,
  checkRequired,
  checkRequiredChoice,
  checkUnique,
  type Findings,
  invalidFor,
} from "../../validation/checks.ts";
import { checkLabels } from "../../validation/labels.ts";
import { dnsSubdomain } from "../../validation/names.ts";

const most = { endpoints: 1000, addresses: 100, ports: 20_000, topologyLabels: 16, hints: 8 };

export function* checkEndpointSlice({ addressType, endpoints = [], ports = [] }: EndpointSlice): Findings {
  yield* checkRequiredChoice("addressType", addressType, ["FQDN", "IPv4", "IPv6"]);
  if (endpoints.length > most.endpoints) {
    yield fieldError.tooMany("endpoints", endpoints.length, most.endpoints);
  } else {
    for (const [index, endpoint] of endpoints.entries()) {
      yield* checkEndpoint(`endpoints[${index}]`, endpoint, addressType);
    }
  }
  if (ports.length > most.ports) return yield fieldError.tooMany("ports", ports.length, most.ports);
  const names = new Set<string>();
  for (const [index, { name = "", protocol, port, appProtocol }] of ports.entries()) {
    const path = `ports[${index}]`;
    if (name) yield* checkDnsLabel(`${path}.name`, name);
    yield* checkUnique(`${path}.name`, name, names);
    yield* checkRequiredChoice(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
    yield* checkRange(`${path}.port`, port, [1, 65_535]);
    if (appProtocol !== undefined) yield* checkQualifiedName(`${path}.appProtocol`, appProtocol);
  }
}

function* checkEndpoint(field: string, endpoint: Endpoint, addressType: string): Findings {
  const { addresses = [], deprecatedTopology = {}, hostname, nodeName, hints } = endpoint;
  const path = `${field}.addresses`;
  if (addresses.length === 0) yield fieldError.required(path, "must contain at least 1 address");
  else if (addresses.length > most.addresses) yield fieldError.tooMany(path, addresses.length, most.addresses);
  for (const [index, address] of addresses.entries()) yield* checkAddress(`${path}[${index}]`, address, addressType);
  if (nodeName !== undefined) yield* checkDnsSubdomain(`${field}.nodeName`, nodeName);
  const labels = Object.keys(deprecatedTopology);
  const topology = `${field}.deprecatedTopology`;
  if (labels.length > most.topologyLabels) yield fieldError.tooMany(topology, labels.length, most.topologyLabels);
  yield* checkLabels(topology, deprecatedTopology);
  for (const key of ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]) {
    const instead = key === "kubernetes.io/hostname" ? "nodeName" : "zone";
    if (deprecatedTopology[key] === undefined) continue;
    yield fieldError.invalid(`${topology}[${key}]`, key, `cannot be set, use ${instead} instead`);
  }
  if (hostname !== undefined) yield* checkDnsLabel(`${field}.hostname`, hostname);
  if (hints !== undefined) yield* checkHints(`${field}.hints`, hints);
}

function* checkAddress(field: string, address: string, addressType: string): Findings {
  if (addressType === "FQDN") return yield* checkFullName(field, address);
  if (addressType === "IPv4" && !isIPv4(address))
    yield fieldError.invalid(field, address, "must be a valid IPv4 address");
  if (addressType === "IPv6" && !isIPv6(address))
    yield fieldError.invalid(field, address, "must be a valid IPv6 address");
  if (addressType === "IPv4" || addressType === "IPv6") yield* checkNonSpecialIP(field, address);
}

/** A name of at least two segments; a dot at its end is allowed. */
function* checkFullName(field: string, address: string): Findings {
  if (!address) return yield fieldError.required(field);
  const name = address.replace(/\.$/, "");
  const problems = dnsSubdomain(name);
  if (problems.length > 0) yield* invalidFor(field, name, [problems.join(",")]);
  else if (!name.includes(".")) {
    yield fieldError.invalid(field, name, "should be a domain with at least two segments separated by dots");
  }
}

function* checkHints(field: string, { forZones = [], forNodes = [] }: EndpointHints): Findings {
  for (const [member, items] of Object.entries({ forZones, forNodes })) {
    const path = `${field}.${member}`;
    if (items.length > most.hints) yield fieldError.tooMany(path, items.length, most.hints);
    const names = new Set<string>();
    for (const [index, { name }] of items.entries()) {
      yield* checkRequired(`${path}[${index}].name`, name);
      yield* checkUnique(`${path}[${index}].name`, name, names);
      if (name && member === "forZones") yield* checkLabels(`${path}[${index}].name`, { zone: name });
    }
  }
}
