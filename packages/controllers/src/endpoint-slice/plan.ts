import {
  type Endpoint,
  type EndpointSlice,
  isPodTerminal,
  type New,
  type Node,
  ownerReference,
  type Pod,
  type Service,
  Services,
} from "@skiff/api";
import { familiesOf, isHeadless } from "../service-pods/service-pods.ts";
import { endpointOf, portsOf } from "./endpoint.ts";
import { type EndpointSlicesPlan, type Group, identityOf, packGroups } from "./packing.ts";
import type { ZoneShares } from "./zone-allocations.ts";
import { addZoneHints, type HintsOutcome } from "./zone-hints.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

interface ObservedService {
  readonly service: Service;
  readonly pods: readonly Pod[];
  /** The controller's own slices of the Service. */
  readonly slices: readonly EndpointSlice[];
  readonly nodeNamed: (name: string) => Node | undefined;
}

/**
 * Pods of nodes that are not there: nobody knows whether they can be reached, so they are left out, and looked at again. Who wants
 * to have pods published that are not ready wants these as well.
 */
export const podsWithoutNode = ({ service, pods, nodeNamed }: Omit<ObservedService, "slices">): readonly Pod[] =>
  service.spec.publishNotReadyAddresses === true
    ? []
    : pods.filter(
        (pod) =>
          !isPodTerminal(pod) &&
          (pod.status?.podIPs ?? []).length > 0 &&
          nodeNamed(pod.spec.nodeName ?? "") === undefined,
      );

/** Which slices have to change so that they show the Service's pods, touching as few as possible. */
export function planEndpointSlices(observed: ObservedService): EndpointSlicesPlan {
  const { service, slices } = observed;
  return packGroups(groupsOf(observed), slices, head(service));
}

/** The same of a Service whose endpoints are shared out among zones; tells, by family, what became of it. */
export function planSharedSlices(
  observed: ObservedService,
  shares: ZoneShares | "unknown",
): { readonly plan: EndpointSlicesPlan; readonly outcomes: ReadonlyMap<string, HintsOutcome> } {
  const { service, slices } = observed;
  const groups = groupsOf(observed);
  keepHints(groups, slices);
  const whole = packGroups(groups, slices, head(service));
  const outcomes = new Map<string, HintsOutcome>();
  const parts = [...new Set([...familiesOf(service), ...slices.map(({ addressType }) => addressType)])].map(
    (family) => {
      const own = <T extends { readonly addressType?: string | undefined }>(all: readonly T[]) =>
        all.filter(({ addressType }) => addressType === family);
      const part = { create: own(whole.create), update: own(whole.update), remove: own(whole.remove) };
      const { plan, outcome } = addZoneHints(part, own(slices), shares);
      if (familiesOf(service).includes(family)) outcomes.set(family, outcome);
      return plan;
    },
  );
  return {
    plan: {
      create: parts.flatMap(({ create }) => create),
      update: parts.flatMap(({ update }) => update),
      remove: parts.flatMap(({ remove }) => remove),
    },
    outcomes,
  };
}

/** Endpoints have the hints that they had, so that slices in which nothing else changes are found to be the same. */
function keepHints(groups: readonly Group[], slices: readonly EndpointSlice[]): void {
  const known = new Map(
    slices.flatMap(({ addressType, endpoints = [] }) =>
      endpoints.map(({ hints, ...endpoint }) => [`${addressType} ${identityOf(endpoint)}`, hints]),
    ),
  );
  for (const { addressType, endpoints } of groups) {
    for (const [identity, endpoint] of endpoints) {
      const hints = known.get(`${addressType} ${identityOf(endpoint)}`);
      if (hints !== undefined && endpoint.conditions?.ready === true) endpoints.set(identity, { ...endpoint, hints });
    }
  }
}

function groupsOf(observed: ObservedService): readonly Group[] {
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
