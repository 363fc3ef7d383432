import type { Elements, TableElements } from "./elements.ts";

/** A flow that the kernel remembers although its Service now leads elsewhere. */
export interface StaleTarget {
  readonly protocol: "udp";
  /** The Service's address; `undefined` for a NodePort. */
  readonly address: string | undefined;
  readonly port: number;
  /** The endpoint it still goes to; `undefined`: it went nowhere, as before the Service had endpoints. */
  readonly endpoint: string | undefined;
}

/**
 * UDP has no end of a connection: a client that keeps its port keeps its old endpoint for as long as it talks. So the
 * kernel must forget flows to endpoints that are gone, and flows that began before the Service had any.
 */
export function staleConnections(before: TableElements, after: TableElements): readonly StaleTarget[] {
  return [
    ...gone(before.endpoints, after.endpoints),
    ...gone(before.nodeEndpoints, after.nodeEndpoints),
    ...begun(before.services, after.services),
    ...begun(before.nodePorts, after.nodePorts),
  ];
}

/** Endpoints that a Service's port had and has no longer, in whichever slots. */
function gone(before: Elements, after: Elements): readonly StaleTarget[] {
  const stale: StaleTarget[] = [];
  const left = addressesByPort(after);
  for (const [frontend, addresses] of addressesByPort(before)) {
    for (const endpoint of addresses) {
      if (!left.get(frontend)?.has(endpoint)) stale.push({ ...read(frontend), endpoint });
    }
  }
  return stale;
}

/** Ports that lead somewhere now and did not before. */
function begun(before: Elements, after: Elements): readonly StaleTarget[] {
  return [...after.keys()]
    .filter((frontend) => isUdp(frontend) && !before.has(frontend))
    .map((frontend) => ({ ...read(frontend), endpoint: undefined }));
}

const isUdp = (frontend: string): boolean => frontend.startsWith("udp . ") || frontend.includes(" . udp . ");

/** `10.96.0.10 . udp . 53 . 0` → `10.42.0.7 . 53` and so on: the addresses by what stands before the slot. */
function addressesByPort(endpoints: Elements): ReadonlyMap<string, ReadonlySet<string>> {
  const addresses = new Map<string, Set<string>>();
  for (const [key, value] of endpoints) {
    if (!isUdp(key)) continue;
    const frontend = key.slice(0, key.lastIndexOf(" . "));
    const found = addresses.get(frontend) ?? new Set();
    addresses.set(frontend, found.add(value.split(" . ")[0] ?? ""));
  }
  return addresses;
}

function read(frontend: string): Pick<StaleTarget, "protocol" | "address" | "port"> {
  const parts = frontend.split(" . ");
  return { protocol: "udp", address: parts.length === 3 ? parts[0] : undefined, port: Number(parts.at(-1)) };
}
