import {
  type Endpoint,
  type EndpointSlice,
  type EndpointSlicePort,
  type New,
  type Node,
  ownerReference,
  type Pod,
  type Service,
  Services,
} from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { familiesOf, isHeadless } from "../service-pods/service-pods.ts";
import { endpointOf, portsOf } from "./endpoint.ts";

/** No slice holds more. */
export const endpointsPerSlice = 100;
export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

export interface EndpointSlicesPlan {
  readonly create: readonly New<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/** Endpoints that share their ports, and slices that hold such endpoints already. */
interface Group {
  readonly addressType: string;
  readonly ports: readonly EndpointSlicePort[];
  /** By the uid of their pod. */
  readonly endpoints: Map<string, Endpoint>;
}

/** Which slices have to change so that they show the Service's pods, touching as few as possible. */
export function planEndpointSlices(observed: {
  readonly service: Service;
  readonly pods: readonly Pod[];
  /** The controller's own slices of the Service. */
  readonly slices: readonly EndpointSlice[];
  readonly nodeNamed: (name: string) => Node | undefined;
}): EndpointSlicesPlan {
  const { service, slices } = observed;
  const groups = groupsOf(observed);
  const labels = sliceLabels(service);
  const create: New<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  const kept = new Set<EndpointSlice>();
  for (const group of groups) {
    const own = slices.filter(
      (slice) => slice.addressType === group.addressType && samePorts(slice.ports, group.ports),
    );
    const packed = pack(group, own);
    for (const { slice, endpoints } of packed) {
      if (slice === undefined) {
        create.push({ ...head(service, labels), addressType: group.addressType, endpoints, ports: [...group.ports] });
        continue;
      }
      kept.add(slice);
      const same = jsonEqual(endpoints, slice.endpoints ?? []) && jsonEqual(labels, slice.metadata.labels ?? {});
      if (!same) update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints });
    }
  }
  return reusing({ create, update, remove: slices.filter((slice) => !kept.has(slice)) });
}

/** A slice that is not needed any more becomes one that is: one write instead of two, and no moment without either. */
function reusing({ create, update, remove }: EndpointSlicesPlan): EndpointSlicesPlan {
  const unused = [...remove];
  const fresh: New<EndpointSlice>[] = [];
  const reused = create.flatMap((slice) => {
    const at = unused.findIndex(({ addressType }) => addressType === slice.addressType);
    const [old] = at < 0 ? [] : unused.splice(at, 1);
    if (old === undefined) fresh.push(slice);
    return old === undefined
      ? []
      : [{ ...old, ...slice, metadata: { ...old.metadata, labels: slice.metadata.labels } }];
  });
  return { create: fresh, update: [...update, ...reused], remove: unused };
}

function groupsOf(observed: Parameters<typeof planEndpointSlices>[0]): readonly Group[] {
  const { service, pods, nodeNamed } = observed;
  const groups = new Map<string, Group>();
  for (const addressType of familiesOf(service)) {
    for (const pod of pods) {
      const node = pod.spec.nodeName ? nodeNamed(pod.spec.nodeName) : undefined;
      const endpoint = endpointOf(service, pod, { node, family: addressType });
      if (endpoint === undefined) continue;
      const ports = portsOf(service, pod);
      const key = JSON.stringify([addressType, ports]);
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map<string, Endpoint>() };
      groups.set(key, group);
      group.endpoints.set(pod.metadata.uid, endpoint);
    }
    // A Service without endpoints has an empty slice: whoever reads slices learns that there is nothing.
    if (![...groups.values()].some((group) => group.addressType === addressType)) {
      groups.set(`empty ${addressType}`, { addressType, ports: [], endpoints: new Map() });
    }
  }
  return [...groups.values()];
}

interface Packed {
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: Endpoint[];
}

/**
 * Endpoints stay in the slice that they are in; new ones fill slices that change anyway, then new slices; what does not fill
 * one goes to the fullest that has room for all of it.
 */
function pack(group: Group, slices: readonly EndpointSlice[]): readonly Packed[] {
  const left = new Map(group.endpoints);
  const packed: { slice: EndpointSlice | undefined; endpoints: Endpoint[]; changes: boolean }[] = slices.map(
    (slice) => {
      const before = slice.endpoints ?? [];
      const endpoints = before.flatMap((endpoint) => {
        const uid = endpoint.targetRef?.uid ?? "";
        const now = left.get(uid);
        left.delete(uid);
        return now === undefined ? [] : [now];
      });
      return { slice, endpoints, changes: !jsonEqual(before, endpoints) };
    },
  );
  const fresh = [...left.values()];
  for (const { endpoints } of packed.filter(({ changes }) => changes)) {
    endpoints.push(...fresh.splice(0, endpointsPerSlice - endpoints.length));
  }
  while (fresh.length > 0) {
    const roomy =
      fresh.length < endpointsPerSlice
        ? packed
            .filter(({ changes, endpoints }) => !changes && endpoints.length + fresh.length <= endpointsPerSlice)
            .sort((a, b) => b.endpoints.length - a.endpoints.length)[0]
        : undefined;
    if (roomy !== undefined) roomy.endpoints.push(...fresh.splice(0));
    else packed.push({ slice: undefined, endpoints: fresh.splice(0, endpointsPerSlice), changes: true });
  }
  const used = packed.filter(({ endpoints }) => endpoints.length > 0);
  if (used.length > 0) return used;
  return packed.length > 0 ? packed.slice(0, 1) : [{ slice: undefined, endpoints: [] }];
}

const samePorts = (a: readonly EndpointSlicePort[] | undefined, b: readonly EndpointSlicePort[]): boolean =>
  jsonEqual(a ?? [], b);

function sliceLabels(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
  };
}

const head = (service: Service, labels: Record<string, string>): Pick<New<EndpointSlice>, "metadata"> => ({
  metadata: {
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace,
    labels,
    ownerReferences: [ownerReference(Services, service)],
  },
});
