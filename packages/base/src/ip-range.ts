import { isIPv4, isIPv6 } from "node:net";
import { assert } from "./assert.ts";

/** An IP address as a number. */
export interface IpAddress {
  readonly family: "IPv4" | "IPv6";
  readonly value: bigint;
}

/** A network: the addresses that share the first `length` bits with `first`. */
export interface IpRange {
  readonly family: IpAddress["family"];
  readonly first: bigint;
  readonly length: number;
}

export const bitsOf = (family: IpAddress["family"]): number => (family === "IPv4" ? 32 : 128);

/** How many addresses a network has. */
export const sizeOf = ({ family, length }: IpRange): bigint => 1n << BigInt(bitsOf(family) - length);

/** `10.96.0.1` or `fd00::1`; `undefined` for what is neither. */
export function parseAddress(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: "IPv4", value: fromParts(text.split(".").map(Number), 8) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  // The last 32 bits may be written as an IPv4 address.
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = fromParts((dotted?.[2] ?? "").split(".").map(Number), 8);
  const whole = dotted === null ? text : `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = "", rest] = whole.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const groups = [...head].map((group) => Number.parseInt(group, 16));
  const last = (rest ?? []).map((group) => Number.parseInt(group, 16));
  const zeros = Array.from({ length: 8 - groups.length - last.length }, () => 0);
  return { family: "IPv6", value: fromParts([...groups, ...zeros, ...last], 16) };
}

const fromParts = (parts: readonly number[], bits: number): bigint =>
  parts.reduce((sum, part) => (sum << BigInt(bits)) | BigInt(part), 0n);

/** The address as everybody writes it: IPv6 in the form of RFC 5952. */
export function addressText({ family, value }: IpAddress): string {
  const size = family === "IPv4" ? 8 : 16;
  const count = bitsOf(family) / size;
  const mask = (1n << BigInt(size)) - 1n;
  const parts = Array.from({ length: count }, (_, at) => Number((value >> BigInt(size * (count - 1 - at))) & mask));
  if (family === "IPv4") return parts.join(".");
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(":")}]`).hostname.slice(1, -1);
}

/** `10.96.0.0/16`; host bits are dropped. `undefined` for what is no network. */
export function parseRange(text: string): IpRange | undefined {
  const [, addressPart = "", lengthPart = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(addressPart);
  if (address === undefined) return undefined;
  const { family, value } = address;
  const length = Number(lengthPart);
  if (length > bitsOf(family)) return undefined;
  const hostBits = BigInt(bitsOf(family) - length);
  return { family, first: (value >> hostBits) << hostBits, length };
}

export const rangeText = ({ family, first, length }: IpRange): string =>
  `${addressText({ family, value: first })}/${length}`;

/** Whether the address is one of the network's. */
export const contains = (range: IpRange, { family, value }: IpAddress): boolean =>
  range.family === family && value >= range.first && value < range.first + sizeOf(range);

/** Whether two networks have an address in common: one of them lies in the other then. */
export const overlaps = (one: IpRange, other: IpRange): boolean =>
  contains(one, { family: other.family, value: other.first }) ||
  contains(other, { family: one.family, value: one.first });

/** How many networks of that length a network has. */
export const subnetCount = ({ length }: IpRange, subnetLength: number): number => 2 ** (subnetLength - length);

/** The nth of them. */
export const subnet = (range: IpRange, subnetLength: number, index: number): IpRange => ({
  family: range.family,
  first: range.first + (BigInt(index) << BigInt(bitsOf(range.family) - subnetLength)),
  length: subnetLength,
});

/** What MACs are made for: all of one network are told apart by what follows. */
const macPrefixes = { pods: "0a:58", tunnel: "0a:6b" };

/** A MAC made of an IPv4 address, which goes wherever the address goes. Of those that are nobody's by manufacture. */
export function macOf(use: keyof typeof macPrefixes, { family, value }: IpAddress): string {
  assert(family === "IPv4", "MACs are made of addresses of IPv4");
  const digits = value.toString(16).padStart(8, "0").match(/../g) ?? [];
  return [macPrefixes[use], ...digits].join(":");
}
