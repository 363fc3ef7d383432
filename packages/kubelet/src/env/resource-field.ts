import { asMillis, asUnits, type Container, type Pod, type ResourceFieldSelector } from "@skiff/api";

type Amounts = Readonly<Record<string, string>>;

/**
 * The amount that a `resourceFieldRef` names, in units of its divisor, rounded up. Limits that are not set default to what
 * the node has to give.
 */
export function resourceField(
  selector: ResourceFieldSelector,
  options: { readonly pod: Pod; readonly container: string; readonly allocatable: Amounts },
): string {
  const { pod, allocatable } = options;
  const name = selector.containerName ?? options.container;
  const containers: readonly Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const container = containers.find((one) => one.name === name);
  if (container === undefined) throw new Error(`container "${name}" not found`);
  const [kind, ...rest] = selector.resource.split(".");
  const resource = rest.join(".");
  const { limits, requests } = container.resources ?? {};
  const defaults = resource === "cpu" || resource === "memory" || resource === "ephemeral-storage";
  const amount =
    kind === "limits" ? (limits?.[resource] ?? (defaults ? allocatable[resource] : undefined)) : requests?.[resource];
  const divisor = selector.divisor === undefined || selector.divisor === "0" ? "1" : selector.divisor;
  if (amount === undefined) return "0";
  if (resource === "cpu") return String(Math.ceil(asMillis(amount) / Math.max(1, asMillis(divisor))));
  return String(Math.ceil(asUnits(amount) / asUnits(divisor)));
}
