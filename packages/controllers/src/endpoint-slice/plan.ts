import {
  type Endpoint,
  type EndpointSlice,
  type New,
  type Node,
  ownerReference,
  type Pod,
  type Service,
  Services,
} from "@skiff/api";
import { familiesOf, isHeadless } from "../service-pods/service-pods.ts";
import { endpointOf, portsOf } from "./endpoint.ts";
import { type EndpointSlicesPlan, type Group, packGroups } from "./packing.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

/** Which slices have to change so that they show the Service's pods, touching as few as possible. */
export function planEndpointSlices(observed: {
  readonly service: Service;
  readonly pods: readonly Pod[];
  /** The controller's own slices of the Service. */
  readonly slices: readonly EndpointSlice[];
  readonly nodeNamed: (name: string) => Node | undefined;
}): EndpointSlicesPlan {
  const { service, slices } = observed;
  return packGroups(groupsOf(observed), slices, head(service));
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

function sliceLabels(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
  };
}

const head = (service: Service): Pick<New<EndpointSlice>, "metadata"> => ({
  metadata: {
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace,
    labels: sliceLabels(service),
    ownerReferences: [ownerReference(Services, service)],
  },
});
