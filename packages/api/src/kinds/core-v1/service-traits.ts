import type { Service } from "../../generated/types/core-v1.ts";

/** True for types whose Services have an address inside the cluster. */
export const needsClusterIP = ({ spec }: Service): boolean =>
  spec.type === "ClusterIP" || spec.type === "NodePort" || spec.type === "LoadBalancer";

/** True for types that are reached on ports of the nodes. */
export const needsNodePort = ({ spec }: Service): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** True when load balancers must find out which nodes have endpoints. */
export const needsHealthCheckNodePort = ({ spec }: Service): boolean =>
  spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** True when packets may come from outside the cluster. */
export const isExternallyAccessible = ({ spec }: Service): boolean =>
  spec.type === "NodePort" ||
  spec.type === "LoadBalancer" ||
  (spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);

/** True for Services without an address of their own: DNS gives the endpoints'. */
export const isHeadlessService = ({ spec }: Service): boolean => (spec.clusterIPs?.[0] ?? spec.clusterIP) === "None";
