import {
  asUnits,
  type Container,
  type ContainerExtendedResourceRequest,
  type DeviceClass,
  type DeviceRequest,
  isDeviceResource,
  isSidecar,
  type Pod,
} from "@skiff/api";
import { podFacts } from "../pod-facts.ts";

/** What a claim has to ask for so that containers get the devices of their resources, and which request is for whom. */
export interface DeviceWishes {
  readonly requests: readonly DeviceRequest[];
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

/** The resources of a pod that classes of devices may stand behind, with their amounts. */
export const deviceResourcesOf = (pod: Pod): readonly (readonly [name: string, amount: number])[] =>
  [...podFacts(pod).requests].filter(([name, amount]) => amount > 0 && isDeviceResource(name));

interface Wish {
  readonly container: Container;
  readonly requestName: string;
  readonly count: number;
}

/**
 * The requests for some of a pod's resources. A container that keeps running has one of its own. One that ends before others begin
 * takes what these will have later; the most that is missing to any of them is asked for besides, and is for all of them.
 */
export function deviceWishes(
  { spec }: Pod,
  resources: readonly string[],
  classes: ReadonlyMap<string, DeviceClass>,
): DeviceWishes {
  const inits = spec.initContainers ?? [];
  const containers = [...inits, ...spec.containers];
  const requests: DeviceRequest[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  for (const resource of [...resources].sort()) {
    const deviceClassName = classes.get(resource)?.metadata.name;
    if (deviceClassName === undefined) continue;
    const wishes = containers.map((container, index) => wishOf(container, index, resource));
    const isPassing = (index: number) => index < inits.length && !isSidecar(containers[index] ?? { name: "" });
    const lasting = wishes.map((wish, index) => (isPassing(index) ? undefined : wish));
    const passing = wishes.flatMap((wish, index) =>
      wish !== undefined && isPassing(index) ? [{ ...wish, ...reuse(wish, lasting.slice(index)) }] : [],
    );
    const most = passing.reduce<(typeof passing)[number] | undefined>(
      (most, one) => (one.missing > (most?.missing ?? 0) ? one : most),
      undefined,
    );
    const map = ({ container }: Wish, requestName: string) =>
      mappings.push({ containerName: container.name, resourceName: resource, requestName });
    const ask = (name: string, count: number) =>
      requests.push({ name, exactly: { deviceClassName, allocationMode: "ExactCount", count } });
    if (most !== undefined) ask(most.requestName, most.missing);
    for (const wish of lasting) {
      if (wish === undefined) continue;
      ask(wish.requestName, wish.count);
      map(wish, wish.requestName);
    }
    for (const wish of passing) {
      for (const name of wish.reused) map(wish, name);
      if (wish.missing > 0 && most !== undefined) map(wish, most.requestName);
    }
  }
  requests.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { requests, mappings };
}

/** What a container asks for of a resource. Requests go by the places of the container and of the resource among its others. */
function wishOf(container: Container, index: number, resource: string): Wish | undefined {
  const asked = container.resources?.requests ?? {};
  const count = asUnits(asked[resource] ?? "0");
  if (count === 0) return undefined;
  const place = Object.keys(asked).sort().indexOf(resource);
  return { container, requestName: `container-${index}-request-${place}`, count };
}

/** What of a passing container's wish later ones will have anyway, and how much is missing then. */
function reuse(
  { count }: Wish,
  later: readonly (Wish | undefined)[],
): { readonly reused: readonly string[]; readonly missing: number } {
  const reused: string[] = [];
  let missing = count;
  for (const wish of later) {
    if (wish === undefined || missing <= 0) continue;
    reused.push(wish.requestName);
    missing -= wish.count;
  }
  return { reused, missing: Math.max(0, missing) };
}
