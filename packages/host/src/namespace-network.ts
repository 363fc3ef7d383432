import { systemNetwork } from "./links.ts";
import type { Nftables } from "./nftables.ts";
import type { Processes } from "./processes.ts";
import type { Sysctls } from "./sysctls.ts";

/**
 * A network within this machine: a bridge whose other members are network namespaces, each like a machine of its own. This
 * machine has the first address and is their way out; what leaves it carries its own address.
 */
export interface NamespaceNetwork {
  readonly bridge: string;
  /** The first address with the length, as in `10.201.0.1/24`. */
  readonly gateway: string;
  /** Name of the nft table of family `ip` that holds one chain. */
  readonly table: string;
  /** Links that lead to neighbours who are to see members' own addresses, beside the bridge. */
  readonly inside: readonly string[];
  /** An address of this machine that members reach as a neighbour's, although it lies elsewhere. */
  readonly neighbour: string;
}

/** One namespace. */
export interface NamespaceMember {
  readonly namespace: string;
  /** This machine's end of its cable, 15 characters at most. */
  readonly link: string;
  /** With the length, as in `10.201.0.2/24`. */
  readonly address: string;
}

interface Effects {
  readonly processes: Processes;
  readonly nftables: Nftables;
  readonly sysctls: Sysctls;
}

/** The member's own name for its end. */
const innerLink = "eth0";

const outwards = ({ table, gateway, inside, bridge }: NamespaceNetwork): string => {
  const kept = [bridge, ...inside].map((link) => `"${link}"`).join(", ");
  return [
    `table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    "  chain postrouting {",
    "    type nat hook postrouting priority 100; policy accept;",
    `    ip saddr ${gateway} oifname != { ${kept} } masquerade`,
    "  }",
    "}",
    "",
  ].join("\n");
};

/** Makes the bridge and the way out; what is there already is left as it is. */
export async function setUpNamespaceNetwork(
  network: NamespaceNetwork,
  { processes, nftables, sysctls }: Effects,
  signal: AbortSignal,
): Promise<void> {
  const { links, addresses } = systemNetwork(processes);
  await links.add(network.bridge, ["type", "bridge"], signal);
  await addresses.add(network.bridge, network.gateway, signal);
  await links.setUp(network.bridge, signal);
  await sysctls.write("net.ipv4.ip_forward", "1");
  await nftables.apply(outwards(network), signal);
}

/** Makes a namespace and connects it; what is there already is left as it is. */
export async function addNamespaceMember(
  { bridge, gateway, neighbour }: NamespaceNetwork,
  { namespace, link, address }: NamespaceMember,
  { processes }: Pick<Effects, "processes">,
  signal: AbortSignal,
): Promise<void> {
  const outside = systemNetwork(processes);
  await outside.namespaces.add(namespace, signal);
  const inside = systemNetwork(processes, { namespace });
  // A cable that does not end here leads to a namespace that lost its name, and that processes keep.
  const isConnected = (await inside.links.list(signal)).some(({ name }) => name === innerLink);
  if (!isConnected) await outside.links.remove(link, signal);
  await outside.links.add(link, ["type", "veth", "peer", "name", innerLink, "netns", namespace], signal);
  // Who reaches itself by an address of this machine is answered where it came from: the bridge itself sees rewritten packets.
  for (const words of [
    ["master", bridge],
    ["type", "bridge_slave", "hairpin", "on"],
  ]) {
    await processes.output("ip", { args: ["link", "set", link, ...words], timeoutMs: 20_000 }, signal);
  }
  await outside.links.setUp(link, signal);
  await inside.links.setUp("lo", signal);
  await inside.addresses.add(innerLink, address, signal);
  await inside.links.setUp(innerLink, signal);
  const [via = ""] = gateway.split("/");
  await inside.routes.replace({ destination: "default", via }, signal);
  await inside.routes.replace({ destination: `${neighbour}/32`, link: innerLink }, signal);
}

/** Takes a namespace away. Processes in it keep it, without its cable, until they end. */
export async function removeNamespaceMember(
  { namespace, link }: Pick<NamespaceMember, "namespace" | "link">,
  { processes }: Pick<Effects, "processes">,
  signal: AbortSignal,
): Promise<void> {
  const { links, namespaces } = systemNetwork(processes);
  await links.remove(link, signal);
  await namespaces.remove(namespace, signal);
}

/** Takes the bridge and the way out away; fine where there is neither. */
export async function removeNamespaceNetwork(
  { bridge, table }: Pick<NamespaceNetwork, "bridge" | "table">,
  { processes, nftables }: Pick<Effects, "processes" | "nftables">,
  signal: AbortSignal,
): Promise<void> {
  await nftables.deleteTable("ip", table, signal);
  await systemNetwork(processes).links.remove(bridge, signal);
}
