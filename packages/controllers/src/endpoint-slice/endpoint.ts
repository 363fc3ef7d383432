import {
  type Endpoint,
  type EndpointSlicePort,
  isPodTerminal,
  type Node,
  type Pod,
  podReady,
  type Service,
} from "@skiff/api";
import { addressesOf, hostnameUnder, podReference, targetPortOf } from "../service-pods/service-pods.ts";

const zoneLabel = "topology.kubernetes.io/zone";

/** A pod as an endpoint of a Service; `undefined` for pods that cannot be reached or have ended. */
export function endpointOf(
  service: Service,
  pod: Pod,
  on: { readonly node: Node | undefined; readonly family: string },
): Endpoint | undefined {
  const addresses = addressesOf(pod, on.family);
  if (addresses.length === 0 || isPodTerminal(pod)) return undefined;
  const serving = podReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const hostname = hostnameUnder(service, pod);
  const zone = on.node?.metadata.labels?.[zoneLabel];
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hints = ready ? hintsFor(service, { zone, nodeName: pod.spec.nodeName }) : undefined;
  return {
    addresses: [...addresses],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: podReference(pod),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** Whether endpoints are shared out among the zones (the older way): that goes before `trafficDistribution`. */
export function sharesByZone(annotations: Readonly<Record<string, string>> | undefined): boolean {
  const mode =
    annotations?.["service.kubernetes.io/topology-aware-hints"] ?? annotations?.["service.kubernetes.io/topology-mode"];
  return mode === "Auto" || mode === "auto";
}

const closeBy: ReadonlySet<string | undefined> = new Set(["PreferClose", "PreferSameZone", "PreferSameNode"]);

/** Whom an endpoint should serve, where the Service prefers what is near. https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution */
function hintsFor(
  { metadata, spec: { trafficDistribution } }: Service,
  { zone, nodeName }: { readonly zone: string | undefined; readonly nodeName: string | undefined },
): Endpoint["hints"] {
  if (!closeBy.has(trafficDistribution) || sharesByZone(metadata.annotations)) return undefined;
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  const byNode = nodeName && trafficDistribution === "PreferSameNode";
  const hints = { ...forZones, ...(byNode ? { forNodes: [{ name: nodeName }] } : {}) };
  return Object.keys(hints).length === 0 ? undefined : hints;
}

/** The ports under which a pod serves a Service: pods that name their ports differently are kept in different slices. */
export function portsOf(service: Service, pod: Pod): EndpointSlicePort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(servicePort, pod);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}
