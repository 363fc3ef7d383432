import {
  type EndpointAddress,
  type EndpointPort,
  type EndpointSubset,
  isPodTerminal,
  type Pod,
  podReady,
  type Service,
} from "@skiff/api";
import {
  addressesOf,
  familiesOf,
  hostnameUnder,
  isHeadless,
  podReference,
  targetPortOf,
} from "../service-pods/service-pods.ts";

/** An Endpoints object holds no more addresses. */
export const addressLimit = 1000;
const headlessLabel = "service.kubernetes.io/headless";
const managedByLabel = "endpoints.kubernetes.io/managed-by";

interface Placed {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: readonly EndpointPort[];
}

/** The subsets that show a Service's pods: one for each set of ports, addresses in order. */
export function planSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const placed = pods.flatMap((pod) => place(service, pod));
  const groups = new Map<string, Placed[]>();
  for (const one of placed.slice(0, addressLimit)) {
    const key = JSON.stringify(one.ports);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group));
}

function place(service: Service, pod: Pod): Placed[] {
  const [family = "IPv4"] = familiesOf(service);
  const [ip] = addressesOf(pod, family);
  const anyway = service.spec.publishNotReadyAddresses === true;
  const leaves = pod.metadata.deletionTimestamp !== undefined && !anyway;
  if (ip === undefined || isPodTerminal(pod) || leaves) return [];
  const ports = (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(servicePort, pod);
    if (port === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = servicePort;
    return [{ ...(name ? { name } : {}), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
  // Only a headless Service may have pods without ports.
  if (ports.length === 0 && (service.spec.ports?.length ?? 0) > 0) return [];
  if (ports.length === 0 && !isHeadless(service)) return [];
  const hostname = hostnameUnder(service, pod);
  const address = {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: podReference(pod),
  };
  return [{ address, ready: anyway || podReady(pod), ports }];
}

function subsetOf(group: readonly Placed[]): EndpointSubset {
  const byAddress = (a: EndpointAddress, b: EndpointAddress) => (a.ip < b.ip ? -1 : 1);
  const addresses = group.flatMap(({ ready, address }) => (ready ? [address] : [])).sort(byAddress);
  const notReadyAddresses = group.flatMap(({ ready, address }) => (ready ? [] : [address])).sort(byAddress);
  const ports = [...(group[0]?.ports ?? [])].sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

/** The labels of a Service's Endpoints. */
export function endpointsLabels(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
    [managedByLabel]: "endpoint-controller",
  };
}
