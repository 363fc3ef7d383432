import { BlockList, isIPv6 } from "node:net";
import type { ServiceCIDR } from "@skiff/api";

const familyOf = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4");

/** True for addresses that are in one of the ranges. */
function rangesOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", length = ""] = cidr.split("/");
    list.addSubnet(address, Number(length), familyOf(address));
  }
  return list;
}

const cidrsOf = ({ spec }: ServiceCIDR): readonly string[] => spec?.cidrs ?? [];

/** Whether a range lies in another. */
const contains = (outer: string, inner: string): boolean => {
  const [outerAddress = "", outerLength] = outer.split("/");
  const [address = "", length] = inner.split("/");
  if (familyOf(outerAddress) !== familyOf(address) || Number(outerLength) > Number(length)) return false;
  return rangesOf([outer]).check(address, familyOf(address));
};

/** Whether any address would belong to no range any more if this one went. */
export function isNeeded(range: ServiceCIDR, others: readonly ServiceCIDR[], addresses: readonly string[]): boolean {
  const left = others.filter(({ metadata }) => metadata.name !== range.metadata.name).flatMap(cidrsOf);
  if (cidrsOf(range).every((cidr) => left.some((outer) => contains(outer, cidr)))) return false;
  const own = rangesOf(cidrsOf(range));
  const rest = rangesOf(left);
  return addresses.some((address) => {
    const family = familyOf(address);
    return own.check(address, family) && !rest.check(address, family);
  });
}
