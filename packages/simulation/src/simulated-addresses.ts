import type { SimulatedNodeSpec } from "./simulated-node.ts";

/**
 * Addresses of the nth simulated node (from 1) and of its pods: 192.168.100.0 and up, and of 100.64.0.0/10, which is nobody's
 * on the Internet, 256 addresses a node.
 */
export function simulatedAddresses(index: number): Pick<SimulatedNodeSpec, "address" | "podAddress" | "podRange"> {
  const block = index % 16_384;
  return {
    address: `192.168.${100 + ((index >> 8) % 156)}.${index & 255}`,
    podRange: `100.${64 + (block >> 8)}.${block & 255}.0/24`,
    podAddress: (n) => `100.${64 + (block >> 8)}.${block & 255}.${1 + ((n - 1) % 254)}`,
  };
}
