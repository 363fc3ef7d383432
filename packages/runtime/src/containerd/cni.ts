import { join } from "node:path";

/** The network of one node's pods. */
export interface PodNetwork {
  /** Name of the bridge that the pods hang on; at most 15 characters. */
  readonly bridge: string;
  /** The node's part of the pods' network, as in `10.42.0.0/24`. */
  readonly podCidr: string;
  /** The bridge's own address, the pods' way out: `10.42.0.1`. */
  readonly gateway: string;
  /** Absent: that of the kernel's choice (1500). */
  readonly mtu?: number;
}

/** The version of CNI that the list and the plugin speak. */
export const cniVersion = "0.4.0";

/** What the node's own plugin is called: the file in the plugins' folder, and in errors. */
export const cniPluginName = "skiff";

/**
 * Holds a folder for each network of pods, with a file for each address that is given: called by it, with the id of its sandbox
 * and the link's name, as the plugin `host-local` has them. They must not outlive the machine's boot.
 */
export const addressFolders = (stateDirectory: string): string => join(stateDirectory, "cni-addresses");

const listOf = (network: PodNetwork, plugins: readonly object[]): string =>
  `${JSON.stringify({ cniVersion, name: network.bridge, plugins }, null, 2)}\n`;

/**
 * CNI's configuration list. The plugin has what it needs to know written into it; what is said here goes on to `portmap`, for
 * pods with ports of the node.
 */
export const cniConfigList = (network: PodNetwork): string =>
  listOf(network, [{ type: cniPluginName, capabilities: { portMappings: true }, snat: true }]);

/**
 * The same by CNI's own plugins, four programs a pod, for nodes whose folder nothing may be run from (`noexec`). `hairpinMode`
 * lets a pod reach itself through a Service. Who leaves the cluster is masqueraded by the node's own rules (`ipMasq`).
 */
export function standardConfigList(network: PodNetwork, stateDirectory: string): string {
  const { bridge, podCidr, gateway, mtu } = network;
  const ranges = [[{ subnet: podCidr, gateway }]];
  const routes = [{ dst: "0.0.0.0/0" }];
  const ipam = { type: "host-local", dataDir: addressFolders(stateDirectory), ranges, routes };
  const size = mtu === undefined ? {} : { mtu };
  return listOf(network, [
    { type: "bridge", bridge, isGateway: true, hairpinMode: true, ipMasq: false, ...size, ipam },
    { type: "portmap", capabilities: { portMappings: true }, snat: true },
  ]);
}
