import type { SystemNetwork } from "@skiff/host";
import { ClusterError, type ClusterSettings, type NodesOfMachine } from "../settings/settings.ts";
import { freeRange, routedNetworks } from "./free-range.ts";

/** How many nodes this machine is to have, in a network that meets nothing else. The network stays when the number changes. */
export async function chooseNodes(
  settings: ClusterSettings,
  count: number,
  { addresses, routes }: SystemNetwork,
  signal: AbortSignal,
): Promise<NodesOfMachine> {
  if (settings.runtime === "simulated") {
    throw new ClusterError("OPTION_INVALID", "--nodes are nodes with containers; use --simulated-nodes here");
  }
  if (settings.nodes !== undefined) return { ...settings.nodes, count };
  const used = [
    ...addresses.own().map((address) => `${address}/32`),
    ...routedNetworks(await routes.list(signal)),
    ...settings.clusterCidr.split(","),
    settings.serviceCidr,
  ];
  return { count, range: freeRange(settings.slot, used) };
}
