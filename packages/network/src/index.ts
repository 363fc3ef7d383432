/** What carries packets and names: the service proxy, cluster DNS, the node's part of the pod network. */
export { type PodNetworkFacts, type PodNetworkSettings, setUpPodNetwork } from "./pod-network.ts";
export { type Conntrack, systemConntrack } from "./proxy/conntrack.ts";
export type { RuleSettings } from "./proxy/rules.ts";
export { ServiceProxy, type ServiceProxyOptions } from "./proxy/service-proxy.ts";
