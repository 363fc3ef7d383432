import type { EndpointSlice, Service, ServicePort } from "@skiff/api";
import { affinityTimeoutFor, endpointId } from "./affinity.ts";
import { emptyElements, type MutableElements, type TableElements } from "./elements.ts";
import { isIPv4, type Place, type PortTargets, portTargets, type Target, targetText } from "./port-targets.ts";
import { learnChain, spreadChain } from "./rules.ts";
import { fillSlots, keepPlaces, localSlotOffset } from "./slots.ts";

/** A Service with the slices that say where its endpoints are. */
export interface ServiceView {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
}

/**
 * What this node's table must hold so that one Service can be reached. Pure; addresses that are not IPv4 are left out.
 * Endpoints stay in the slots that they had `before`, as far as possible.
 */
export function planService(
  { service, slices }: ServiceView,
  place: Place,
  before: TableElements = emptyElements(),
): TableElements {
  const plan = { elements: emptyElements(), before };
  if (!hasAddress(service)) return plan.elements;
  const { clusterIP = "" } = service.spec;
  if (isIPv4(clusterIP)) plan.elements.clusterIps.set(clusterIP, "");
  for (const port of service.spec.ports ?? []) addPort(plan, service, port, portTargets(slices, port, place));
  return plan.elements;
}

interface Plan {
  readonly elements: MutableElements;
  readonly before: TableElements;
}

/** Headless Services and names for other names need no packets rewritten. */
const hasAddress = ({ spec }: Service): boolean =>
  spec.type !== "ExternalName" && spec.clusterIP !== undefined && spec.clusterIP !== "None" && spec.clusterIP !== "";

function addPort(plan: Plan, service: Service, port: ServicePort, targets: PortTargets): void {
  const { spec } = service;
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const at = (address: string): Frontend => ({ kind: "service", key: `${address} . ${protocol} . ${port.port}` });
  if (isIPv4(spec.clusterIP ?? "")) {
    const onlyLocal = spec.internalTrafficPolicy === "Local";
    addFrontend(plan, service, at(spec.clusterIP ?? ""), onlyLocal ? localOnly(targets) : targets);
  }
  const keepsSource = spec.externalTrafficPolicy === "Local";
  const outside = [
    ...outsideAddresses(service).map(at),
    ...(port.nodePort && spec.type !== "ClusterIP"
      ? [{ kind: "node", key: `${protocol} . ${port.nodePort}` } as const]
      : []),
  ];
  for (const frontend of outside) {
    addFrontend(plan, service, frontend, targets);
    if (keepsSource && targets.all.length > 0) addLocalFrontend(plan, frontend, targets.local);
  }
}

/** An address and port, or a node port, that clients connect to. */
interface Frontend {
  readonly kind: "service" | "node";
  /** Its key in `services` or `nodePorts`, and the beginning of its endpoints' keys. */
  readonly key: string;
}

/** With a traffic policy of Local, a node without endpoints drops what other nodes could answer, as Kubernetes does. */
const localOnly = ({ all, local }: PortTargets): PortTargets & { readonly dropped: boolean } => ({
  all: local,
  local,
  dropped: local.length === 0 && all.length > 0,
});

/** Addresses beside the ClusterIP. Those of load balancers that are proxies are never this node's to answer. */
function outsideAddresses({ spec, status }: Service): readonly string[] {
  const ingress = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== "Proxy");
  const addresses = [...(spec.externalIPs ?? []), ...ingress.flatMap(({ ip }) => (ip ? [ip] : []))];
  return [...new Set(addresses)].filter(isIPv4);
}

const mapsOf = {
  service: {
    chains: "services",
    localChains: "localServices",
    endpoints: "endpoints",
    refused: "refused",
    affinities: "affinities",
    sticky: "stickyEndpoints",
  },
  node: {
    chains: "nodePorts",
    localChains: "localNodePorts",
    endpoints: "nodeEndpoints",
    refused: "refusedNodePorts",
    affinities: "nodeAffinities",
    sticky: "stickyNodeEndpoints",
  },
} as const;

function addFrontend(
  plan: Plan,
  { spec }: Service,
  { kind, key }: Frontend,
  { all, dropped = false }: PortTargets & { readonly dropped?: boolean },
): void {
  const maps = mapsOf[kind];
  const { elements } = plan;
  if (all.length === 0) {
    if (dropped) elements[maps.chains].set(key, "drop");
    else elements[maps.refused].set(key, "");
    return;
  }
  const slots = putSlots(plan, { map: maps.endpoints, key, offset: 0 }, all);
  elements[maps.chains].set(key, `goto ${spreadChain(kind, slots, { local: false })}`);
  for (const { address } of all) elements.hairpin.set(`${address} . ${address}`, "");
  if (spec.sessionAffinity !== "ClientIP") return;
  const timeout = affinityTimeoutFor(spec.sessionAffinityConfig?.clientIP?.timeoutSeconds);
  elements[maps.affinities].set(key, `jump ${learnChain(timeout)}`);
  for (const target of all) {
    const id = endpointId(target.address);
    elements.endpointIds.set(target.address, id);
    elements[maps.sticky].set(`${key} . ${id}`, targetText(target));
  }
}

/** What clients outside the cluster find: endpoints on this node, or silence. */
function addLocalFrontend(plan: Plan, { kind, key }: Frontend, local: readonly Target[]): void {
  const maps = mapsOf[kind];
  const slots = putSlots(plan, { map: maps.endpoints, key, offset: localSlotOffset }, local);
  const chain = slots === 0 ? "drop" : `goto ${spreadChain(kind, slots, { local: true })}`;
  plan.elements[maps.localChains].set(key, chain);
}

/** Puts endpoints into their slots, from `offset` on; gives how many slots they fill. */
function putSlots(
  { elements, before }: Plan,
  { map, key, offset }: { readonly map: "endpoints" | "nodeEndpoints"; readonly key: string; readonly offset: number },
  targets: readonly Target[],
): number {
  const old: string[] = [];
  for (let slot = offset; ; slot++) {
    const target = before[map].get(`${key} . ${slot}`);
    if (target === undefined) break;
    old.push(target);
  }
  const slots = fillSlots(keepPlaces(targets.map(targetText), old));
  for (const [slot, target] of slots.entries()) elements[map].set(`${key} . ${offset + slot}`, target);
  return slots.length;
}
