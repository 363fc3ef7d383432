import type { Container, ContainerPort, ResourceRequirements } from "../../generated/types/core-v1.ts";
import { parseQuantity } from "../../quantity.ts";

/** A container with its path. */
export interface PlacedContainer {
  readonly path: string;
  readonly container: Container;
}

/** Amounts that come in whole bytes, written as fractions of them. */
export function fractionWarnings(
  field: string,
  amounts: Readonly<Record<string, string>> | undefined,
  names: readonly string[] = ["memory", "ephemeral-storage"],
): string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    // Most amounts end in a digit or in a suffix of thousands: only those in `m` or smaller can be fractions.
    if (amount === undefined || !/[munE.e]/.test(amount)) return [];
    if (parseQuantity(amount).nanos % 1_000_000_000n === 0n) return [];
    return [`${field}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}

/** What containers ask for and define. */
export function containerWarnings({ path, container }: PlacedContainer): string[] {
  return [...amountWarnings(`${path}.resources`, container.resources), ...envWarnings(`${path}.env`, container)];
}

function amountWarnings(field: string, resources: ResourceRequirements | undefined): string[] {
  if (!resources?.limits && !resources?.requests) return [];
  return ["memory", "ephemeral-storage"].flatMap((name) => [
    ...fractionWarnings(`${field}.limits`, resources.limits, [name]),
    ...fractionWarnings(`${field}.requests`, resources.requests, [name]),
  ]);
}

/** Variables defined twice, where the second does not build on the first. */
function envWarnings(field: string, { env = [] }: Container): string[] {
  if (env.length < 2) return [];
  const seen = new Set<string>();
  return env.flatMap(({ name, value = "", valueFrom }, index) => {
    const reference = `$(${name})`;
    const hides = seen.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference));
    seen.add(name);
    const text = `hides previous definition of "${name}", which may be dropped when using apply`;
    return hides ? [`${field}[${index}]: ${text}`] : [];
  });
}

/** Ports that several containers of a pod define. */
export function portWarnings(containers: readonly PlacedContainer[]): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { readonly path: string; readonly port: ContainerPort }[]>();
  for (const { path, container } of containers) {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const field = `${path}.ports[${index}]`;
      if (port.hostIP && !port.hostPort) warnings.push(`${field}: hostIP set without hostPort: ${shown(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const how = collision(port, other.port);
        if (how !== undefined) warnings.push(`${field}: ${how} port definition with ${other.path}`);
      }
      known.set(key, [...others, { path: field, port }]);
    }
  }
  return warnings;
}

function collision(port: ContainerPort, other: ContainerPort): string | undefined {
  const [ip, otherIP] = [port.hostIP ?? "", other.hostIP ?? ""];
  const [hostPort, otherPort] = [port.hostPort ?? 0, other.hostPort ?? 0];
  if (ip === otherIP && hostPort === otherPort) return "duplicate";
  if (hostPort === 0 || otherPort === 0) return "overlapping";
  return hostPort === otherPort && (ip === "") !== (otherIP === "") ? "dangerously ambiguous" : undefined;
}

const shown = ({ name = "", hostPort = 0, containerPort, protocol = "", hostIP = "" }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
