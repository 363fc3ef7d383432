import {
  asMillis,
  asUnits,
  type Container,
  type ContainerStatus,
  isSidecar,
  type Pod,
  type ResourceRequirements,
} from "@skiff/api";

type Requests = Readonly<Record<string, string>>;

interface Told {
  readonly resources?: ResourceRequirements | undefined;
  readonly allocatedResources?: Requests | undefined;
}

const known = new WeakMap<NonNullable<Pod["status"]>, { readonly spec: Pod["spec"]; readonly held: Pod["spec"] }>();

/**
 * What a pod on a node is to be counted for there: its spec or, while its containers are resized, the spec with the most of
 * what they ask for, were promised and have. A resize that its node can never do counts for nothing.
 */
export function heldSpec({ spec, status }: Pick<Pod, "spec" | "status">): Pod["spec"] {
  if (!spec.nodeName || status === undefined) return spec;
  const remembered = known.get(status);
  if (remembered?.spec === spec) return remembered.held;
  const held = holding(spec, status);
  known.set(status, { spec, held });
  return held;
}

function holding(spec: Pod["spec"], status: NonNullable<Pod["status"]>): Pod["spec"] {
  const isInfeasible = status.conditions?.some(
    (one) => one.type === "PodResizePending" && one.status === "True" && one.reason === "Infeasible",
  );
  const held = (resources: ResourceRequirements | undefined, told: Told | undefined) => {
    if (told?.resources === undefined) return resources;
    const now = largest(told.resources.requests, told.allocatedResources);
    const requests = isInfeasible ? now : largest(resources?.requests, now);
    return isSame(requests, resources?.requests) ? resources : { ...resources, requests };
  };
  const every = (containers: readonly Container[], statuses: readonly ContainerStatus[] | undefined) =>
    containers.map((container) => {
      const told = statuses?.find(({ name }) => name === container.name);
      const resources = held(container.resources, told);
      return resources === container.resources ? container : { ...container, resources };
    });
  const containers = every(spec.containers, status.containerStatuses);
  const initContainers = spec.initContainers?.map((one) =>
    isSidecar(one) ? (every([one], status.initContainerStatuses)[0] ?? one) : one,
  );
  const { requests } = spec.resources ?? {};
  // A status tells of all that a pod has in all: here counts only what it asks for as a whole.
  const asked = (amounts: Requests = {}) => pick(amounts, requests ?? {});
  const told = status.resources && {
    resources: { requests: asked(status.resources.requests) },
    allocatedResources: asked(status.allocatedResources),
  };
  const resources = requests === undefined ? spec.resources : held(spec.resources, told);
  const isAsSaid =
    resources === spec.resources &&
    containers.every((one, index) => one === spec.containers[index]) &&
    (initContainers ?? []).every((one, index) => one === spec.initContainers?.[index]);
  return isAsSaid ? spec : { ...spec, containers, initContainers, resources };
}

const amountOf = (name: string, quantity: string | undefined): number =>
  name === "cpu" ? asMillis(quantity ?? "0") : asUnits(quantity ?? "0");

/** The greater amount of each resource. */
function largest(a: Requests = {}, b: Requests = {}): Requests {
  const greater = { ...a };
  for (const [name, quantity] of Object.entries(b)) {
    const other = greater[name];
    if (other === undefined || amountOf(name, quantity) > amountOf(name, other)) greater[name] = quantity;
  }
  return greater;
}

/** Of some amounts those of resources that others name, too. */
const pick = (amounts: Requests, others: Requests): Requests =>
  Object.fromEntries(Object.entries(amounts).filter(([name]) => name in others));

const isSame = (a: Requests, b: Requests = {}): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (name) => amountOf(name, a[name]) === amountOf(name, b[name]),
  );
