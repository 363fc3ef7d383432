/** What carries packets and names: the service proxy, cluster DNS, the node's part of the pod network. */
export { clusterZone } from "./dns/cluster-zone.ts";
export { DnsServer, type DnsServerOptions } from "./dns/dns-server.ts";
export { createUpstream, type Upstream, upstreamServers } from "./dns/forward.ts";
export type { ZoneSource } from "./dns/zone.ts";
export { type PodNetworkFacts, type PodNetworkSettings, setUpPodNetwork } from "./pod-network.ts";
export { type Conntrack, systemConntrack } from "./proxy/conntrack.ts";
export type { RuleSettings } from "./proxy/rules.ts";
export { ServiceProxy, type ServiceProxyOptions } from "./proxy/service-proxy.ts";
export { NodeRoutes, type NodeRoutesOptions } from "./routes/node-routes.ts";
