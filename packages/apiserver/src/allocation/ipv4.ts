import { isIPv4 } from "node:net";

/** An address as a number; `undefined` for what is no IPv4 address. */
export const ipv4ToNumber = (text: string): number | undefined =>
  isIPv4(text) ? text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) : undefined;

export const numberToIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/**
 * First and last address of a network that can be given away: not its own, not the one for all. `undefined` for what is no IPv4
 * network, or has no such address.
 */
export function usableAddresses(cidr: string): { readonly first: number; readonly last: number } | undefined {
  const [text = "", length = ""] = cidr.split("/");
  const address = ipv4ToNumber(text);
  const bits = Number(length);
  if (address === undefined || !/^\d+$/.test(length) || bits > 30) return undefined;
  const size = 2 ** (32 - bits);
  const network = Math.floor(address / size) * size;
  return { first: network + 1, last: network + size - 2 };
}

/** Whether an address is one of a network's. */
export function isIn(cidr: string, address: number): boolean {
  const [text = "", length = ""] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  return Math.floor((ipv4ToNumber(text) ?? Number.NaN) / size) === Math.floor(address / size);
}
