import type { PodRangeFlags } from "@skiff/cluster";
import { type Command, InvalidArgumentError, Option } from "commander";

export type { PodRangeFlags } from "@skiff/cluster";

/** Adds the flags of what nodes get their pods' addresses from. */
export function withPodRanges(command: Command): Command {
  const size = (name: string, description: string) =>
    new Option(`--${name} <bits>`, description).argParser(prefixLength);
  return command
    .option("--cluster-cidr <networks>", "what nodes get ranges for their pods from (10.42.0.0/16)")
    .addOption(size("node-cidr-mask-size", "length of the prefix of a node's range (24)"))
    .addOption(size("node-cidr-mask-size-ipv4", "the same, where there are ranges of both families"))
    .addOption(size("node-cidr-mask-size-ipv6", "the same, of IPv6 (64)"));
}

/** Those of a command's flags that are about it. */
export const podRangeFlags = (flags: PodRangeFlags): PodRangeFlags => ({
  clusterCidr: flags.clusterCidr,
  nodeCidrMaskSize: flags.nodeCidrMaskSize,
  nodeCidrMaskSizeIpv4: flags.nodeCidrMaskSizeIpv4,
  nodeCidrMaskSizeIpv6: flags.nodeCidrMaskSizeIpv6,
});

function prefixLength(text: string): number {
  const bits = Number(text);
  if (/^\d+$/.test(text) && bits >= 1 && bits <= 128) return bits;
  throw new InvalidArgumentError("It is a number from 1 to 128.");
}
