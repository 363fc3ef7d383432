import { isIPv4, isIPv6 } from "node:net";
import { EvaluationError } from "../../evaluate/evaluation-error.ts";
import { text } from "../narrow.ts";
import { type Overload, overload } from "../overload.ts";
import { contentOf, Opaque, type OpaqueType } from "./opaque.ts";

/** An IP address: 4 or 16 bytes and its canonical text. */
class Address {
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    this.bytes = bytes;
  }

  get text(): string {
    return this.bytes.length === 4 ? this.bytes.join(".") : ipv6Text(this.bytes);
  }
}

class Cidr {
  readonly address: Address;
  readonly prefix: number;

  constructor(address: Address, prefix: number) {
    this.address = address;
    this.prefix = prefix;
  }

  get text(): string {
    return `${this.address.text}/${this.prefix}`;
  }

  contains(other: Address): boolean {
    const { bytes } = this.address;
    return (
      other.bytes.length === bytes.length &&
      jsonSame(masked(other, this.prefix).bytes, masked(this.address, this.prefix).bytes)
    );
  }
}

const jsonSame = (a: readonly number[], b: readonly number[]): boolean => a.every((one, index) => one === b[index]);

const ipType: OpaqueType<Address> = {
  name: "net.IP",
  same: (a, b) => a.text === b.text,
  size: ({ bytes }) => bytes.length,
  holds: (content): content is Address => content instanceof Address,
};

const cidrType: OpaqueType<Cidr> = {
  name: "net.CIDR",
  same: (a, b) => a.text === b.text,
  size: ({ address }) => address.bytes.length,
  holds: (content): content is Cidr => content instanceof Cidr,
};

function masked({ bytes }: Address, prefix: number): Address {
  return new Address(
    bytes.map((byte, index) => {
      const kept = Math.min(8, Math.max(0, prefix - index * 8));
      return byte & (0xff << (8 - kept)) & 0xff;
    }),
  );
}

/** The platform's own URL parser writes IPv6 addresses as RFC 5952 wants them. */
function ipv6Text(bytes: readonly number[]): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2)
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function ipv6Bytes(value: string): readonly number[] {
  const plain = new URL(`http://[${value}]/`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

type Read<T> = { readonly value: T } | { readonly problem: string };

function readAddress(value: string): Read<Address> {
  if (isIPv4(value)) return { value: new Address(value.split(".").map(Number)) };
  if (!isIPv6(value))
    return {
      problem: `IP Address ${JSON.stringify(value)} parse error during conversion from string: ParseAddr(${JSON.stringify(value)}): unable to parse IP`,
    };
  if (value.includes("%")) return { problem: `IP address ${JSON.stringify(value)} with zone value is not allowed` };
  const bytes = ipv6Bytes(value);
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return { problem: `IPv4-mapped IPv6 address ${JSON.stringify(value)} is not allowed` };
  }
  return { value: new Address(bytes) };
}

function readCidr(value: string): Read<Cidr> {
  const found = /^([^/]+)\/(0|[1-9]\d*)$/.exec(value);
  const problem = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(value)}): no '/'`;
  if (found === null) return { problem };
  const [, host = "", length = ""] = found;
  const address = readAddress(host);
  if ("problem" in address) {
    return address.problem.startsWith("IPv4-mapped")
      ? address
      : { problem: problem.replace("no '/'", "unable to parse IP") };
  }
  if (Number(length) > address.value.bytes.length * 8)
    return { problem: problem.replace("no '/'", "prefix length out of range") };
  return { value: new Cidr(address.value, Number(length)) };
}

function required<T>(read: Read<T>): T {
  if ("problem" in read) throw new EvaluationError(read.problem);
  return read.value;
}

const ip = (address: Address): Opaque<Address> => new Opaque(ipType, address);
const cidr = (value: Cidr): Opaque<Cidr> => new Opaque(cidrType, value);

const isV4 = ({ bytes }: Address): boolean => bytes.length === 4;
const first = ({ bytes }: Address): number => bytes[0] ?? 0;
const second = ({ bytes }: Address): number => bytes[1] ?? 0;

const properties: readonly (readonly [string, (address: Address) => boolean])[] = [
  ["isUnspecified", ({ bytes }) => bytes.every((byte) => byte === 0)],
  ["isLoopback", (a) => (isV4(a) ? first(a) === 127 : a.text === "::1")],
  [
    "isLinkLocalMulticast",
    (a) =>
      isV4(a) ? first(a) === 224 && second(a) === 0 && a.bytes[2] === 0 : first(a) === 0xff && (second(a) & 0x0f) === 2,
  ],
  [
    "isLinkLocalUnicast",
    (a) => (isV4(a) ? first(a) === 169 && second(a) === 254 : first(a) === 0xfe && (second(a) & 0xc0) === 0x80),
  ],
  [
    "isGlobalUnicast",
    (a) =>
      a.text !== "255.255.255.255" &&
      !["isUnspecified", "isLoopback", "isLinkLocalUnicast"].some((name) => holds(name, a)) &&
      !(isV4(a) ? first(a) >= 224 && first(a) < 240 : first(a) === 0xff),
  ],
];

const holds = (name: string, address: Address): boolean =>
  properties.find(([known]) => known === name)?.[1](address) ?? false;

const cidrOf = (value: Parameters<Overload["call"]>[0][number] | undefined): Cidr => contentOf(cidrType, value);
const ipOf = (value: Parameters<Overload["call"]>[0][number] | undefined): Address => contentOf(ipType, value);
const within = (outer: Cidr, inner: Cidr): boolean => outer.prefix <= inner.prefix && outer.contains(inner.address);

/** `ip(…)`, `cidr(…)` and what they have. */
export const addressFunctions: readonly Overload[] = [
  overload("string_to_ip", "ip(string): net.IP", ([a]) => ip(required(readAddress(text(a))))),
  overload("is_ip", "isIP(string): bool", ([a]) => "value" in readAddress(text(a))),
  overload("ip_is_canonical", "ip.isCanonical(string): bool", ([a]) => required(readAddress(text(a))).text === text(a)),
  overload("ip_family", "net.IP.family(): int", ([a]) => (isV4(ipOf(a)) ? 4n : 6n)),
  ...properties.map(([name, test]) => overload(`ip_${name}`, `net.IP.${name}(): bool`, ([a]) => test(ipOf(a)))),
  overload("ip_to_string", "string(net.IP): string", ([a]) => ipOf(a).text),
  overload("string_to_cidr", "cidr(string): net.CIDR", ([a]) => cidr(required(readCidr(text(a))))),
  overload("is_cidr", "isCIDR(string): bool", ([a]) => "value" in readCidr(text(a))),
  overload("cidr_contains_ip_string", "net.CIDR.containsIP(string): bool", ([a, b]) =>
    cidrOf(a).contains(required(readAddress(text(b)))),
  ),
  overload("cidr_contains_ip_ip", "net.CIDR.containsIP(net.IP): bool", ([a, b]) => cidrOf(a).contains(ipOf(b))),
  overload("cidr_contains_cidr_string", "net.CIDR.containsCIDR(string): bool", ([a, b]) =>
    within(cidrOf(a), required(readCidr(text(b)))),
  ),
  overload("cidr_contains_cidr", "net.CIDR.containsCIDR(net.CIDR): bool", ([a, b]) => within(cidrOf(a), cidrOf(b))),
  overload("cidr_ip", "net.CIDR.ip(): net.IP", ([a]) => ip(cidrOf(a).address)),
  overload("cidr_prefix_length", "net.CIDR.prefixLength(): int", ([a]) => BigInt(cidrOf(a).prefix)),
  overload("cidr_masked", "net.CIDR.masked(): net.CIDR", ([a]) =>
    cidr(new Cidr(masked(cidrOf(a).address, cidrOf(a).prefix), cidrOf(a).prefix)),
  ),
  overload("cidr_to_string", "string(net.CIDR): string", ([a]) => cidrOf(a).text),
];
