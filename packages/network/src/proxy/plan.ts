import type { Endpoint, EndpointSlice, Service, ServicePort } from "@skiff/api";
import { chainName, type mapNames } from "./rules.ts";
import { fillSlots } from "./slots.ts";

/** The elements that a map or set is to hold: what stands for a key, empty for sets. */
export type Elements = ReadonlyMap<string, string>;

/** The elements of all maps and sets, by name. */
export type DesiredElements = Readonly<Record<keyof typeof mapNames, Elements>>;

/** A Service with the slices that say where its endpoints are. */
export interface ServiceView {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
}

interface Target {
  readonly address: string;
  readonly port: number;
}

type MutableElements = Record<keyof typeof mapNames, Map<string, string>>;

/** What this node's tables must hold so that every Service can be reached. Pure; addresses that are not IPv4 are left out. */
export function planElements(views: readonly ServiceView[], nodeName: string): DesiredElements {
  const elements: MutableElements = {
    services: new Map(),
    nodePorts: new Map(),
    endpoints: new Map(),
    nodeEndpoints: new Map(),
    refused: new Map(),
    refusedNodePorts: new Map(),
    hairpin: new Map(),
  };
  for (const view of views) {
    if (!hasAddress(view.service)) continue;
    for (const port of view.service.spec.ports ?? []) addPort(elements, view, port, nodeName);
  }
  return elements;
}

/** Headless Services and names for other names need no packets rewritten. */
const hasAddress = ({ spec }: Service): boolean =>
  spec.type !== "ExternalName" && spec.clusterIP !== undefined && spec.clusterIP !== "None" && spec.clusterIP !== "";

const isIPv4 = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address);

function addPort(
  elements: MutableElements,
  { service, slices }: ServiceView,
  port: ServicePort,
  nodeName: string,
): void {
  const { spec, status } = service;
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const sticky = spec.sessionAffinity === "ClientIP";
  const all = targetsOf(slices, port, { onlyNode: undefined });
  const local = () => targetsOf(slices, port, { onlyNode: nodeName });
  const inside = spec.internalTrafficPolicy === "Local" ? local() : all;
  const outside = spec.externalTrafficPolicy === "Local" ? local() : all;
  for (const { address } of all) elements.hairpin.set(`${address} . ${address}`, "");
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  const addresses: readonly (readonly [string, readonly Target[]])[] = [
    ...[spec.clusterIP ?? ""].map((address) => [address, inside] as const),
    ...[...(spec.externalIPs ?? []), ...ingress].map((address) => [address, outside] as const),
  ];
  for (const [address, targets] of addresses) {
    if (!isIPv4(address)) continue;
    const key = `${address} . ${protocol} . ${port.port}`;
    if (targets.length === 0) elements.refused.set(key, "");
    else {
      const slots = fillSlots(targets);
      elements.services.set(key, `goto ${chainName("service", sticky, slots.length)}`);
      putSlots(elements.endpoints, key, slots);
    }
  }
  if (!port.nodePort || spec.type === "ClusterIP") return;
  const key = `${protocol} . ${port.nodePort}`;
  if (outside.length === 0) elements.refusedNodePorts.set(key, "");
  else {
    const slots = fillSlots(outside);
    elements.nodePorts.set(key, `goto ${chainName("node", sticky, slots.length)}`);
    putSlots(elements.nodeEndpoints, key, slots);
  }
}

function putSlots(elements: Map<string, string>, key: string, slots: readonly Target[]): void {
  for (const [slot, { address, port }] of slots.entries()) elements.set(`${key} . ${slot}`, `${address} . ${port}`);
}

/**
 * Where connections to a port go: endpoints that are ready; where none is, those that still serve while they end, so that
 * the last pods of a rollout answer until they are gone.
 */
function targetsOf(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  { onlyNode }: { readonly onlyNode: string | undefined },
): readonly Target[] {
  const ready = new Map<string, Target>();
  const ending = new Map<string, Target>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const slicePort = slice.ports?.find(
      (one) => (one.name ?? "") === (port.name ?? "") && (one.protocol ?? "TCP") === (port.protocol ?? "TCP"),
    );
    if (slicePort?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (onlyNode !== undefined && endpoint.nodeName !== onlyNode) continue;
      const [address] = endpoint.addresses;
      if (address === undefined || !isIPv4(address)) continue;
      const target = { address, port: slicePort.port };
      if (isReady(endpoint)) ready.set(`${address}:${slicePort.port}`, target);
      else if (endpoint.conditions?.serving && endpoint.conditions.terminating)
        ending.set(`${address}:${slicePort.port}`, target);
    }
  }
  const chosen = ready.size > 0 ? ready : ending;
  // Ordered, so that the same endpoints always give the same elements.
  return [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

/** An endpoint whose readiness is not stated counts as ready. */
const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;
