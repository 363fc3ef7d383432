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

/**
 * CNI's configuration list: a bridge with addresses from a local file, and host ports. `hairpinMode` lets a pod reach
 * itself through a Service. `folder` keeps which address belongs to whom; it must not outlive the machine's boot.
 */
export function cniConfigList(network: PodNetwork, folder: string): string {
  const list = {
    cniVersion: "0.4.0",
    name: network.bridge,
    plugins: [
      {
        type: "bridge",
        bridge: network.bridge,
        isGateway: true,
        hairpinMode: true,
        // Who leaves the cluster is masqueraded by the node's own rules, which know the cluster's networks.
        ipMasq: false,
        ...(network.mtu === undefined ? {} : { mtu: network.mtu }),
        ipam: {
          type: "host-local",
          dataDir: join(folder, "cni-addresses"),
          ranges: [[{ subnet: network.podCidr, gateway: network.gateway }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(list, null, 2)}\n`;
}
