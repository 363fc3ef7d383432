import type { Container, Pod, ResourceRequirements } from "@skiff/api";
import { isJsonObject, jsonEqual } from "@skiff/base";

type Amounts = Readonly<Record<string, string>>;

/** Requests and limits of one container, or of a pod as a whole. */
export interface Resources {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

/** What a container was given: its own resources, and the limits of the pod as a whole, which are its own where it has none. */
export interface GivenResources extends Resources {
  readonly podLimits?: Amounts;
}

/** What a node has granted a pod: per container that can be resized, and for the pod as a whole where that asks. */
export interface Allocation {
  readonly containers: Readonly<Record<string, Resources>>;
  readonly pod?: Resources;
}

/** The requests and limits of something; those that are not said are absent. */
export const resourcesOf = (from: ResourceRequirements | undefined): Resources => ({
  ...(from?.requests === undefined ? {} : { requests: from.requests }),
  ...(from?.limits === undefined ? {} : { limits: from.limits }),
});

/** What a container of a pod is given. */
export const givenTo = (container: Container, pod: Pod): GivenResources => {
  const podLimits = pod.spec.resources?.limits;
  return { ...resourcesOf(container.resources), ...(podLimits === undefined ? {} : { podLimits }) };
};

const resizable = ({ spec }: Pod): readonly Container[] => [...(spec.initContainers ?? []), ...spec.containers];

/** What a pod's object asks for now. */
export const desiredAllocation = (pod: Pod): Allocation => ({
  containers: Object.fromEntries(resizable(pod).map((one) => [one.name, resourcesOf(one.resources)])),
  ...(pod.spec.resources === undefined ? {} : { pod: resourcesOf(pod.spec.resources) }),
});

export const sameAllocation = (a: Allocation, b: Allocation): boolean => jsonEqual(a, b);

/** The pod as the node has granted it: what its object asks for beyond that is left out. */
export function withAllocation(pod: Pod, allocation: Allocation | undefined): Pod {
  if (allocation === undefined || sameAllocation(desiredAllocation(pod), allocation)) return pod;
  const granted = (container: Container): Container => {
    const resources = allocation.containers[container.name];
    return resources === undefined
      ? container
      : { ...container, resources: { ...container.resources, ...copy(resources) } };
  };
  const { initContainers, containers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(granted),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(granted) }),
      resources: allocation.pod === undefined ? undefined : copy(allocation.pod),
    },
  };
}

/** Both members are named, so that one that is not granted takes away what the object has. */
const copy = ({ requests, limits }: Resources): ResourceRequirements => ({
  requests: requests === undefined ? undefined : { ...requests },
  limits: limits === undefined ? undefined : { ...limits },
});

const isAmounts = (value: unknown): value is Amounts =>
  isJsonObject(value) && Object.values(value).every((one) => typeof one === "string");

/** Resources from text that was written before; `undefined` when it is damaged. */
export function parseResources(value: unknown): GivenResources | undefined {
  if (!isJsonObject(value)) return undefined;
  const { requests, limits, podLimits } = value;
  if (requests !== undefined && !isAmounts(requests)) return undefined;
  if (limits !== undefined && !isAmounts(limits)) return undefined;
  if (podLimits !== undefined && !isAmounts(podLimits)) return undefined;
  return { ...resourcesOf({ requests, limits }), ...(podLimits === undefined ? {} : { podLimits }) };
}
