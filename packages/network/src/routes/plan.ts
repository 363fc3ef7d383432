import {
  addressText,
  contains,
  type IpAddress,
  type IpRange,
  macOf,
  overlaps,
  parseAddress,
  parseRange,
  rangeText,
} from "@skiff/base";
import type { Route, RouteChange, TunnelPeer } from "@skiff/host";

/** What routes need to know of another node. */
export interface OtherNode {
  readonly name: string;
  /** Where its machine is reached (InternalIP). */
  readonly address: string;
  /** Its pods, as in `10.42.1.0/24`. */
  readonly podCidr: string;
}

/** What the plan is made from. */
export interface RouteFacts {
  readonly nodes: readonly OtherNode[];
  /** This node's pods. */
  readonly podCidr: string;
  /** All pods of the cluster: no route leaves it. */
  readonly clusterCidr: string;
  /** Of this machine. */
  readonly ownAddresses: readonly string[];
  /** The machine's routes as they are. */
  readonly routes: readonly Route[];
  /** Marks those that are ours. */
  readonly protocol: string;
  /** Name of the device that leads to nodes behind routers. */
  readonly tunnel: string;
}

/** What has to be done, and for which nodes nothing can be. */
export interface RoutePlan {
  readonly changes: readonly RouteChange[];
  /** Links that lead to other nodes. */
  readonly links: readonly string[];
  /** Other ends of the tunnel; without any there is to be none. */
  readonly peers: readonly TunnelPeer[];
  /** Nodes whose addresses no route leads to. */
  readonly unreachable: readonly OtherNode[];
  /** Nodes whose pods' range somebody else has a route for. */
  readonly taken: readonly OtherNode[];
}

interface Target {
  readonly node: OtherNode;
  readonly address: IpAddress;
  readonly range: IpRange;
}

/**
 * One route for each other node: its pods by its address where that is a neighbour's, else through the tunnel, since routers
 * between know nothing of pods. What is there and right stays, what
 * is ours and of no use goes; a route that differs is removed and made anew, since replacing one would also hit another's.
 */
export function planRoutes(facts: RouteFacts): RoutePlan {
  const { protocol } = facts;
  const ours = facts.routes.filter((route) => route.protocol === protocol);
  const others = facts.routes.filter((route) => route.protocol !== protocol);
  const targets = targetsOf(facts);
  const routeTo = routeFinder(others);
  const foreign = new Set(others.map(({ destination }) => destination));
  const [unreachable, taken]: [OtherNode[], OtherNode[]] = [[], []];
  const peers: TunnelPeer[] = [];
  const wanted = new Map<string, Route & { readonly link: string }>();
  for (const { node, address, range } of targets) {
    const destination = rangeText(range);
    const { via, link } = routeTo(address) ?? {};
    if (link === undefined) unreachable.push(node);
    else if (foreign.has(destination)) taken.push(node);
    else if (via === undefined) wanted.set(destination, { destination, via: node.address, link, protocol });
    else {
      const peer = { ...tunnelEnd(range), remote: node.address };
      peers.push(peer);
      wanted.set(destination, { destination, via: peer.address, link: facts.tunnel, onlink: true, protocol });
    }
  }
  const links = [...new Set([...wanted.values()].map(({ link }) => link))];
  const changes: RouteChange[] = [];
  for (const route of ours) {
    const want = wanted.get(route.destination);
    if (want !== undefined && want.via === route.via && want.link === route.link) wanted.delete(route.destination);
    else changes.push({ kind: "remove", route });
  }
  changes.push(...[...wanted.values()].map((route): RouteChange => ({ kind: "add", route })));
  return { changes, links, peers, unreachable, taken };
}

/** Nodes whose pods may have a route: of the cluster's network, not this node's own, each range once. */
function targetsOf({ nodes, podCidr, clusterCidr, ownAddresses }: RouteFacts): readonly Target[] {
  const [own, cluster] = [parseRange(podCidr), parseRange(clusterCidr)];
  const here = new Set(ownAddresses);
  const found: Target[] = [];
  const seen = new Set<string>();
  for (const node of nodes.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const [address, range] = [parseAddress(node.address), parseRange(node.podCidr)];
    if (address?.family !== "IPv4" || range === undefined || own === undefined || cluster === undefined) continue;
    if (here.has(node.address) || seen.has(rangeText(range))) continue;
    const isPart = range.length > cluster.length && contains(cluster, { family: range.family, value: range.first });
    if (!isPart || overlaps(range, own)) continue;
    seen.add(rangeText(range));
    found.push({ node, address, range });
  }
  return found;
}

/**
 * A node's end of the tunnel, which all nodes know without being told: the first address of its pods' range, which no pod has,
 * and a MAC made of it.
 */
export function tunnelEnd(range: IpRange): Pick<TunnelPeer, "address" | "mac"> {
  const address = { family: range.family, value: range.first };
  return { address: addressText(address), mac: macOf("tunnel", address) };
}

/** What has to be done for the tunnel to have these peers and no others. */
export function planPeers(
  wanted: readonly TunnelPeer[],
  found: readonly TunnelPeer[],
): { readonly add: readonly TunnelPeer[]; readonly remove: readonly TunnelPeer[] } {
  const keyOf = ({ mac, address, remote }: TunnelPeer) => `${mac} ${address} ${remote}`;
  const [wishes, there] = [new Set(wanted.map(keyOf)), new Set(found.map(keyOf))];
  return {
    add: wanted.filter((peer) => !there.has(keyOf(peer))),
    remove: found.filter((peer) => !wishes.has(keyOf(peer))),
  };
}

/** The route that packets to an address take: that of the longest prefix. */
function routeFinder(routes: readonly Route[]): (address: IpAddress) => Route | undefined {
  const known = routes
    .map((route) => ({ route, range: parseRange(wholeText(route.destination)) }))
    .filter((one): one is { route: Route; range: IpRange } => one.range !== undefined)
    .sort((one, other) => other.range.length - one.range.length);
  return (address) => known.find(({ range }) => contains(range, address))?.route;
}

/** `ip route` leaves out the length of a single address. */
function wholeText(destination: string): string {
  if (destination === "default") return "0.0.0.0/0";
  return destination.includes("/") ? destination : `${destination}/32`;
}
