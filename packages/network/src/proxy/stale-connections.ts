import type { DesiredElements } from "./plan.ts";

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
export function forgetConnections(before: DesiredElements, after: DesiredElements): readonly StaleTarget[] {
  const stale = new Map<string, StaleTarget>();
  const note = (target: StaleTarget) => stale.set(JSON.stringify(target), target);
  for (const [key, value] of before.endpoints) {
    const [address = "", protocol, port] = key.split(" . ");
    if (protocol !== "udp" || after.endpoints.get(key) === value) continue;
    note({ protocol, address, port: Number(port), endpoint: value.split(" . ")[0] });
  }
  for (const [key, value] of before.nodeEndpoints) {
    const [protocol, port] = key.split(" . ");
    if (protocol !== "udp" || after.nodeEndpoints.get(key) === value) continue;
    note({ protocol, address: undefined, port: Number(port), endpoint: value.split(" . ")[0] });
  }
  for (const key of after.services.keys()) {
    const [address = "", protocol, port] = key.split(" . ");
    if (protocol === "udp" && !before.services.has(key))
      note({ protocol, address, port: Number(port), endpoint: undefined });
  }
  return [...stale.values()];
}
