/**
 * Further nodes of a cluster on its own machine (`skiff up --nodes N`): each a home below the cluster's folder, joined from
 * within a network namespace that is like a machine beside this one. Node 1 is the cluster's own.
 */
import { readdir } from "node:fs/promises";
import type { NamespaceMember, NamespaceNetwork } from "@skiff/host";
import { type ClusterPaths, clusterPaths } from "../settings/paths.ts";
import { type ClusterSettings, type HomeSettings, isJoined, machineNames, nthAddress } from "../settings/settings.ts";

/** One of them. */
export interface FurtherNode {
  /** From 2 on. */
  readonly number: number;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Where its home is: `<root>/nodes`, and its number as the name. */
  readonly home: string;
  readonly name: string;
  readonly paths: ClusterPaths;
  readonly member: NamespaceMember;
}

/** How a node's home is named to what works on homes. */
export const nodeHome = (paths: Pick<ClusterPaths, "nodes">, number: number) => ({
  home: paths.nodes,
  name: String(number),
});

/** The network that they and this machine are in. */
export function nodeNetwork(settings: ClusterSettings, range: string): NamespaceNetwork {
  const { bridge, nodeBridge } = machineNames(settings);
  const gateway = `${nthAddress(range, 1)}/24`;
  return { bridge: nodeBridge, gateway, table: nodeBridge, inside: [bridge], neighbour: settings.nodeIp };
}

/** What the machine calls the namespace of a node and its cable. */
export const memberNames = (settings: ClusterSettings, number: number) => ({
  namespace: `skiff${settings.slot}-n${number}`,
  link: `${machineNames(settings).nodeBridge}${number}`,
});

/** The node of that number. */
export function furtherNode(
  settings: ClusterSettings,
  paths: Pick<ClusterPaths, "nodes">,
  { number, range }: { readonly number: number; readonly range: string },
): FurtherNode {
  const nodeIp = nthAddress(range, number);
  const { home, name } = nodeHome(paths, number);
  return {
    number,
    nodeName: `${settings.nodeName}-${number}`,
    nodeIp,
    home,
    name,
    paths: clusterPaths(home, name),
    member: { ...memberNames(settings, number), address: `${nodeIp}/24` },
  };
}

/** The numbers of those that were ever started and not removed. */
export async function nodeNumbers(paths: Pick<ClusterPaths, "nodes">): Promise<readonly number[]> {
  const entries = await readdir(paths.nodes).catch(() => []);
  return entries
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((one, other) => one - other);
}

/** All that the cluster has beside its first, as they were last wished for. A home that joined a cluster has none. */
export function furtherNodes(settings: HomeSettings, paths: Pick<ClusterPaths, "nodes">): readonly FurtherNode[] {
  if (isJoined(settings) || settings.nodes === undefined) return [];
  const { count, range } = settings.nodes;
  return Array.from({ length: count - 1 }, (_, at) => furtherNode(settings, paths, { number: at + 2, range }));
}
