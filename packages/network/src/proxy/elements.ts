/**
 * What the maps and sets of the node's table hold. Keys and values are written as nft writes them, so that what the kernel
 * says it has can be compared with what it is to have.
 */

/** Names of the table's maps and sets; everything that changes is in these. */
export const mapNames = {
  /** address . protocol . port → chain, or `drop`: ClusterIPs, external IPs, load-balancer addresses. */
  services: "services",
  /** protocol . port → chain, on all of the node's own addresses. */
  nodePorts: "node_ports",
  /** As `services`, for clients outside the cluster where the Service's external traffic policy is Local. */
  localServices: "local_services",
  /** As `nodePorts`, for clients outside the cluster where the Service's external traffic policy is Local. */
  localNodePorts: "local_node_ports",
  /** address . protocol . port . slot → pod address . port */
  endpoints: "endpoints",
  /** protocol . port . slot → pod address . port */
  nodeEndpoints: "node_endpoints",
  /** address . protocol . port of Services without endpoints: connections are refused, not left to time out. */
  refused: "refused",
  /** protocol . port of NodePorts without endpoints. */
  refusedNodePorts: "refused_node_ports",
  /** ClusterIPs: what is sent to another port or protocol than the Service's is refused. */
  clusterIps: "cluster_ips",
  /** pod address . the same address: connections that come back to where they started. */
  hairpin: "hairpin",
  /** address . protocol . port → chain that learns where a client went, of Services with session affinity. */
  affinities: "affinities",
  /** protocol . port → the same for NodePorts. */
  nodeAffinities: "node_affinities",
  /** address . protocol . port . endpoint's number → pod address . port: endpoints that clients may come back to. */
  stickyEndpoints: "sticky_endpoints",
  /** protocol . port . endpoint's number → pod address . port */
  stickyNodeEndpoints: "sticky_node_endpoints",
  /** pod address → the endpoint's number, of endpoints that clients come back to. */
  endpointIds: "endpoint_ids",
} as const;

/** One of the table's maps or sets. */
export type MapKey = keyof typeof mapNames;

/** All maps and sets, in no particular order. */
export const mapKeys: readonly MapKey[] = [
  "services",
  "nodePorts",
  "localServices",
  "localNodePorts",
  "endpoints",
  "nodeEndpoints",
  "refused",
  "refusedNodePorts",
  "clusterIps",
  "hairpin",
  "affinities",
  "nodeAffinities",
  "stickyEndpoints",
  "stickyNodeEndpoints",
  "endpointIds",
];

/** The elements that a map or set is to hold: what stands for a key, empty for sets. */
export type Elements = ReadonlyMap<string, string>;

/** The elements of all maps and sets. */
export type TableElements = Readonly<Record<MapKey, Elements>>;

/** The same while it is being put together. */
export type MutableElements = Readonly<Record<MapKey, Map<string, string>>>;

/** Something for each of the maps and sets. */
export function forEachMap<T>(make: (map: MapKey) => T): Readonly<Record<MapKey, T>> {
  return {
    services: make("services"),
    nodePorts: make("nodePorts"),
    localServices: make("localServices"),
    localNodePorts: make("localNodePorts"),
    endpoints: make("endpoints"),
    nodeEndpoints: make("nodeEndpoints"),
    refused: make("refused"),
    refusedNodePorts: make("refusedNodePorts"),
    clusterIps: make("clusterIps"),
    hairpin: make("hairpin"),
    affinities: make("affinities"),
    nodeAffinities: make("nodeAffinities"),
    stickyEndpoints: make("stickyEndpoints"),
    stickyNodeEndpoints: make("stickyNodeEndpoints"),
    endpointIds: make("endpointIds"),
  };
}

/** A table without any elements. */
export const emptyElements = (): MutableElements => forEachMap(() => new Map<string, string>());
