import type { Endpoint, EndpointSlice, ServicePort } from "@skiff/api";

/** Where a node is: some endpoints are meant for what is near them. */
export interface Place {
  readonly nodeName: string;
  /** As the node's labels say; absent where they say nothing. */
  readonly zone?: string | undefined;
}

export interface Target {
  readonly address: string;
  readonly port: number;
}

/** Where connections to one port go, by where they come from. */
export interface PortTargets {
  readonly all: readonly Target[];
  readonly local: readonly Target[];
}

export const isIPv4 = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address);

export const targetText = ({ address, port }: Target): string => `${address} . ${port}`;

/**
 * Where connections to a port go: endpoints that are ready, those nearby where all of them say for whom they are; where none
 * is ready, those that still serve while they end, so that the last pods of a rollout answer until they are gone.
 */
export function portTargets(slices: readonly EndpointSlice[], port: ServicePort, place: Place): PortTargets {
  const found = slices.filter(({ addressType }) => addressType === "IPv4").flatMap((slice) => targetsIn(slice, port));
  const usable = (candidates: readonly Candidate[], ready: readonly Candidate[]) =>
    ordered(ready.length > 0 ? ready : candidates.filter(({ endpoint }) => stillServes(endpoint)));
  const ready = found.filter(({ endpoint }) => isReady(endpoint));
  const isLocal = ({ endpoint }: Candidate) => endpoint.nodeName === place.nodeName;
  return {
    all: usable(found, nearby(ready, place)),
    local: usable(found.filter(isLocal), ready.filter(isLocal)),
  };
}

/** Ready addresses on the node, whatever their ports. */
export function readyHere(slices: readonly EndpointSlice[], { nodeName }: Place): number {
  const here = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter((endpoint) => endpoint.nodeName === nodeName && isReady(endpoint));
  return new Set(here.map(({ addresses }) => addresses[0])).size;
}

/**
 * Hints count where every endpoint has one and some are for this node or zone: otherwise clients here would find nobody, or
 * endpoints without hints would get no work.
 */
function nearby(ready: readonly Candidate[], { nodeName, zone }: Place): readonly Candidate[] {
  const chosen = (field: "forNodes" | "forZones", name: string | undefined) => {
    if (!ready.every(({ endpoint: { hints } }) => (hints?.[field]?.length ?? 0) > 0)) return [];
    return ready.filter(({ endpoint: { hints } }) => hints?.[field]?.some((one) => one.name === name));
  };
  const onNode = chosen("forNodes", nodeName);
  if (onNode.length > 0) return onNode;
  const inZone = chosen("forZones", zone);
  return inZone.length > 0 ? inZone : ready;
}

interface Candidate {
  readonly endpoint: Endpoint;
  readonly target: Target;
}

/** A slice names its ports as the Service does, with the numbers that its pods have for them. */
function targetsIn(slice: EndpointSlice, port: ServicePort): readonly Candidate[] {
  const slicePort = slice.ports?.find(
    (one) => (one.name ?? "") === (port.name ?? "") && (one.protocol ?? "TCP") === (port.protocol ?? "TCP"),
  );
  const number = slicePort?.port;
  if (number === undefined) return [];
  return (slice.endpoints ?? []).flatMap((endpoint) => {
    const [address] = endpoint.addresses;
    return address === undefined || !isIPv4(address) ? [] : [{ endpoint, target: { address, port: number } }];
  });
}

/** Each once, and in order, so that the same endpoints always give the same elements. */
const ordered = (candidates: readonly Candidate[]): readonly Target[] =>
  [...new Map(candidates.map(({ target }) => [targetText(target), target]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, target]) => target);

/** An endpoint whose readiness is not stated counts as ready. */
const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

const stillServes = ({ conditions }: Endpoint): boolean =>
  conditions?.serving === true && conditions.terminating === true;
