import { parseRange, present, rangeText, subnet, subnetCount } from "@skiff/base";
import { ClusterError } from "./cluster-error.ts";
import type { NodeSettings } from "./settings.ts";

/** What nodes' ranges of addresses for pods are taken from. */
export type ClusterPodRanges = Pick<NodeSettings, "clusterCidr" | "nodeMaskSizes">;

export const defaultPodRanges: ClusterPodRanges = { clusterCidr: "10.42.0.0/16", nodeMaskSizes: [24] };

/** What the command line says of it, under the names of kube-controller-manager's options. */
export interface PodRangeFlags {
  readonly clusterCidr?: string | undefined;
  /** Of clusters with one family. */
  readonly nodeCidrMaskSize?: number | undefined;
  readonly nodeCidrMaskSizeIpv4?: number | undefined;
  readonly nodeCidrMaskSizeIpv6?: number | undefined;
}

/** More ranges than this are not kept account of. */
const mostBits = 16;

const refuse = (message: string) => new ClusterError("OPTION_INVALID", message);

/** The networks of a cluster's pods, the first of which pods have addresses of. */
export const clusterCidrs = ({ clusterCidr }: Pick<ClusterPodRanges, "clusterCidr">): readonly string[] =>
  clusterCidr.split(",");

/** `undefined` where the flags say nothing. Throws `ClusterError` for nonsense. */
export function podRangesOf(flags: PodRangeFlags): ClusterPodRanges | undefined {
  if (Object.values(flags).every((value) => value === undefined)) return undefined;
  const texts = clusterCidrs({ clusterCidr: flags.clusterCidr ?? defaultPodRanges.clusterCidr });
  const ranges = texts.map((text) => {
    const range = parseRange(text);
    if (range === undefined) throw refuse(`--cluster-cidr: ${JSON.stringify(text)} is no network, as in 10.42.0.0/16`);
    return range;
  });
  const [first, second] = ranges;
  if (first?.family !== "IPv4") throw refuse("--cluster-cidr: the first network is of IPv4: pods have addresses of it");
  if (ranges.length > 2 || second?.family === "IPv4") {
    throw refuse("--cluster-cidr: one network, or one of IPv4 and one of IPv6");
  }
  const { nodeCidrMaskSize: both } = flags;
  if (both !== undefined && ranges.length > 1) {
    throw refuse("--node-cidr-mask-size is for one network; use --node-cidr-mask-size-ipv4 and -ipv6");
  }
  const sizes = { IPv4: flags.nodeCidrMaskSizeIpv4 ?? both ?? 24, IPv6: flags.nodeCidrMaskSizeIpv6 ?? 64 };
  const nodeMaskSizes = ranges.map((range) => {
    const size = sizes[range.family];
    const most = range.family === "IPv4" ? 30 : 128;
    if (size >= range.length && size <= most && size - range.length <= mostBits) return size;
    throw refuse(
      `nodes' ranges of /${size} cannot be taken from ${rangeText(range)}: ` +
        `/${range.length} to /${Math.min(most, range.length + mostBits)} can`,
    );
  });
  return { clusterCidr: ranges.map(rangeText).join(","), nodeMaskSizes };
}

/** The range that a cluster's node asks for: clusters of one machine have each another, by their slots. */
export function wantedPodRange(ranges: ClusterPodRanges, slot: number): string {
  const range = present(parseRange(clusterCidrs(ranges)[0] ?? ""), "settings hold networks");
  const size = ranges.nodeMaskSizes[0] ?? range.length;
  return rangeText(subnet(range, size, slot % subnetCount(range, size)));
}
