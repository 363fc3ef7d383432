import { asMillis, asUnits, type Container, type Pod, type ResourceFieldSelector } from "@skiff/api";

type Amounts = Readonly<Record<string, string>>;

/**
 * The amount that a `resourceFieldRef` names, in units of its divisor, rounded up. Limits that are not set default to
 * the pod's own, and those to what the node has to give.
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
  const amount =
    kind === "limits" ? limitOf(resource, [limits, pod.spec.resources?.limits, allocatable]) : requests?.[resource];
  const divisor = selector.divisor === undefined || selector.divisor === "0" ? "1" : selector.divisor;
  if (amount === undefined) return "0";
  if (resource === "cpu") return String(Math.ceil(asMillis(amount) / Math.max(1, asMillis(divisor))));
  return String(Math.ceil(asUnits(amount) / asUnits(divisor)));
}

/** The first that is set, of the container's, the pod's and the node's. */
function limitOf(
  resource: string,
  [own, ofPod, ofNode]: readonly [Amounts | undefined, Amounts | undefined, Amounts],
): string | undefined {
  const isSet = (amount: string | undefined) => amount !== undefined && asMillis(amount) !== 0;
  const limit = own?.[resource];
  const isShared = resource === "cpu" || resource === "memory";
  if (isSet(limit) || (!isShared && resource !== "ephemeral-storage")) return limit;
  if (isShared && isSet(ofPod?.[resource])) return ofPod?.[resource];
  return ofNode[resource] ?? limit;
}
