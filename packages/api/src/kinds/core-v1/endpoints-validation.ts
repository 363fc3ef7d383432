import { fieldError } from "../../field-error.ts";
import type { EndpointAddress, EndpointPort, Endpoints } from "../../generated/types/core-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkIP,
  checkNonSpecialIP,
  checkPort,
  checkQualifiedName,
  checkRequiredChoice,
  type Findings,
} from "../../validation/checks.ts";

export function* checkEndpoints({ subsets = [] }: Endpoints): Findings {
  for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const path = `subsets[${index}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      yield fieldError.required(path, "must specify `addresses` or `notReadyAddresses`");
    }
    for (const [at, address] of addresses.entries()) yield* checkAddress(`${path}.addresses[${at}]`, address);
    for (const [at, address] of notReadyAddresses.entries()) {
      yield* checkAddress(`${path}.notReadyAddresses[${at}]`, address);
    }
    for (const [at, port] of ports.entries()) yield* checkEndpointPort(`${path}.ports[${at}]`, port, ports.length > 1);
  }
}

function* checkAddress(field: string, { ip = "", hostname, nodeName }: EndpointAddress): Findings {
  yield* checkIP(`${field}.ip`, ip);
  if (hostname) yield* checkDnsLabel(`${field}.hostname`, hostname);
  if (nodeName !== undefined) yield* checkDnsSubdomain(`${field}.nodeName`, nodeName);
  yield* checkNonSpecialIP(`${field}.ip`, ip);
}

function* checkEndpointPort(field: string, port: EndpointPort, nameRequired: boolean): Findings {
  const { name, protocol, appProtocol } = port;
  if (name) yield* checkDnsLabel(`${field}.name`, name);
  else if (nameRequired) yield fieldError.required(`${field}.name`);
  yield* checkPort(`${field}.port`, port.port ?? 0);
  yield* checkRequiredChoice(`${field}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
  if (appProtocol !== undefined) yield* checkQualifiedName(`${field}.appProtocol`, appProtocol);
}
