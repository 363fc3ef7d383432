/** Addresses and ranges of addresses where only one way to write them is right. */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { fieldError } from "../field-error.ts";
import { canonicalIPv6 } from "./address-warnings.ts";
import { checkCIDR, checkIP, type Findings } from "./checks.ts";

/** An address that embeds one of the older family. */
const isMapped = (address: string): boolean => isIPv6(address) && /^(?:0*:)*:?(?:0*:)*ffff:\d+\./i.test(address);

/** An address in its canonical form. */
export function* checkCanonicalIP(field: string, value: string): Findings {
  if (isIP(value) === 0) return yield* checkIP(field, value);
  if (isMapped(value)) return yield fieldError.invalid(field, value, "must not be an IPv4-mapped IPv6 address");
  const canonical = isIPv6(value) ? canonicalIPv6(value) : value;
  if (canonical !== value) yield fieldError.invalid(field, value, `must be in canonical form ("${canonical}")`);
}

/** A range in its canonical form. */
export function* checkCanonicalCIDR(field: string, value: string): Findings {
  const problems = [...checkCIDR(field, value)];
  if (problems.length > 0) return yield* problems;
  const [address = "", bits = ""] = value.split("/");
  if (isMapped(address)) {
    return yield fieldError.invalid(field, value, "must not have an IPv4-mapped IPv6 address");
  }
  if (hasHostBits(address, Number(bits))) {
    return yield fieldError.invalid(field, value, "must not have bits set beyond the prefix length");
  }
  const canonical = `${isIPv6(address) ? canonicalIPv6(address) : address}/${bits}`;
  if (canonical !== value) yield fieldError.invalid(field, value, `must be in canonical form ("${canonical}")`);
}

/** True when an address is not the first of its range. */
function hasHostBits(address: string, bits: number): boolean {
  const bytes = bytesOf(address);
  return bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return (byte & (0xff >> kept)) !== 0;
  });
}

/** The bytes of an address: 4 or 16. */
function bytesOf(address: string): readonly number[] {
  if (isIPv4(address)) return address.split(".").map(Number);
  const [head = "", tail] = canonicalIPv6(address).split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const [before, after] = [words(head), tail === undefined ? [] : words(tail)];
  const zeros = Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return [...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 0xff]);
}

/** True when all of the second range is in the first, and it is smaller. Both must be valid. */
export function isStrictSubset(range: string, part: string): boolean {
  const [address = "", bits = ""] = range.split("/");
  const [partAddress = "", partBits = ""] = part.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  if (isIPv4(address) !== isIPv4(partAddress) || Number(bits) >= Number(partBits)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(partAddress, family);
}
