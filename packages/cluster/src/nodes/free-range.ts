import { overlaps, parseRange, present } from "@skiff/base";
import type { Route } from "@skiff/host";
import { ClusterError } from "../settings/cluster-error.ts";

/**
 * The network of a cluster's nodes on this machine: `10.201.SLOT.0/24`, or the next one that meets nothing that is there
 * (`used`: the machine's networks and the cluster's own).
 */
export function freeRange(slot: number, used: readonly string[]): string {
  const taken = used.map((text) => parseRange(text)).filter((range) => range !== undefined);
  for (let n = 0; n < 256; n++) {
    const text = `10.201.${(slot + n) % 256}.0/24`;
    const range = present(parseRange(text), "this is a network");
    if (!taken.some((one) => overlaps(one, range))) return text;
  }
  throw new ClusterError("NO_FREE_NETWORK", "no network below 10.201.0.0/16 is free for the nodes of this machine");
}

/** Networks that routes lead to. The default route leads to all that is nowhere else. */
export const routedNetworks = (routes: readonly Route[]): readonly string[] =>
  routes
    .map(({ destination }) => destination)
    .filter((destination) => destination !== "default")
    .map((destination) => (destination.includes("/") ? destination : `${destination}/32`));
