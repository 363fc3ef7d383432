import { isIPv6 } from "node:net";

/** An IPv6 address in the form of RFC 5952: lower case, without leading zeros, the longest run of zeros left out. */
export function canonicalIPv6(address: string): string {
  // Addresses that embed an IPv4 one keep its dots.
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (dotted !== null && /^::(?:ffff:)?$/i.test(dotted[1] ?? "")) return address.toLowerCase();
  const host = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname;
  return host.slice(1, -1);
}

/** What to say of an address that is valid, but not as everybody writes it. */
export function ipWarnings(field: string, value: string): readonly string[] {
  if (!isIPv6(value)) return [];
  const mapped = /^(?:0*:)*:?(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(value);
  if (mapped !== null) {
    return [
      `${field}: non-standard IP address "${value}" will be considered invalid in a future Kubernetes release: use "${mapped[1]}"`,
    ];
  }
  const canonical = canonicalIPv6(value);
  if (canonical === value) return [];
  return [`${field}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}

/** The same of a range of addresses. */
export function cidrWarnings(field: string, value: string): readonly string[] {
  const [address = "", bits = ""] = value.split("/");
  if (!isIPv6(address)) return [];
  const canonical = `${canonicalIPv6(address)}/${bits}`;
  if (canonical === value) return [];
  return [`${field}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}
