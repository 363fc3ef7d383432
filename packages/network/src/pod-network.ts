import { macOf, parseAddress, present } from "@skiff/base";
import type { Sysctls, SystemNetwork } from "@skiff/host";

/** The node's part of the pod network. */
export interface PodNetworkSettings {
  readonly bridge: string;
  /** The bridge's own address with the length of the pods' range, as in `10.42.0.1/24`. */
  readonly gateway: string;
  readonly serviceCidr: string;
}

/** What was found out while the pod network was set up. */
export interface PodNetworkFacts {
  /** Packets between pods of the bridge pass the node's rules. */
  readonly bridgePacketsPassRules: boolean;
}

/**
 * Makes the bridge that pods will hang on (the CNI plugin finds and uses it), so that it has its address before the first
 * pod comes: the cluster's DNS listens there. Lets the kernel forward, and lets NodePorts answer on 127.0.0.1.
 */
export async function setUpPodNetwork(
  { bridge, gateway, serviceCidr }: PodNetworkSettings,
  { network, sysctls }: { readonly network: SystemNetwork; readonly sysctls: Sysctls },
  signal: AbortSignal,
): Promise<PodNetworkFacts> {
  const links = await network.links.list(signal);
  if (!links.some(({ name }) => name === bridge)) {
    // One of its own: else it has that of one of its ports, another when pods come and go, and pods look for the one before.
    const mac = macOf("pods", present(parseAddress(gateway.split("/")[0] ?? ""), "the bridge's address"));
    await network.links.add(bridge, ["address", mac, "type", "bridge"], signal);
  }
  await network.addresses.add(bridge, gateway, signal);
  await network.links.setUp(bridge, signal);
  await sysctls.write("net.ipv4.ip_forward", "1");
  await sysctls.write(`net.ipv4.conf.${bridge}.route_localnet`, "1");
  // Pods do not tell the node where to send its packets (CVE-2020-10749).
  await sysctls.write(`net.ipv6.conf.${bridge}.accept_ra`, "0");
  const routes = await network.routes.list(signal);
  // A machine without a default route would refuse Service addresses before any rule sees them.
  if (!routes.some(({ destination }) => destination === "default")) {
    await network.routes.replace({ destination: serviceCidr, link: bridge }, signal);
  }
  return { bridgePacketsPassRules: await sysctls.write("net.bridge.bridge-nf-call-iptables", "1") };
}
