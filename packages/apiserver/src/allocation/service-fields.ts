import type { Service, ServicePort, ServiceSpec } from "@skiff/api";
import { jsonEqual } from "@skiff/base";

type Spec = ServiceSpec | undefined;

export const isExternalName = (spec: Spec): boolean => spec?.type === "ExternalName";
export const isHeadless = (spec: Spec): boolean => spec?.clusterIP === "None" || spec?.clusterIPs?.[0] === "None";
/** True for Services that have an address of their own, or `None` in its place. */
export const hasClusterIp = (spec: Spec): boolean => spec !== undefined && !isExternalName(spec);

export const needsNodePorts = (spec: Spec): boolean =>
  spec?.type === "NodePort" || (spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** Load balancers that must know which nodes have endpoints ask them at a port of its own. */
export const needsHealthCheckPort = (spec: Spec): boolean =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** Node ports that a Service names: what it holds once it is stored. */
export const nodePortsOf = (spec: Spec): number[] => [
  ...new Set((spec?.ports ?? []).map(({ nodePort }) => nodePort ?? 0).filter((port) => port !== 0)),
];

const protocolOf = ({ protocol = "TCP" }: ServicePort): string => protocol;

/** What a change of a Service leaves out, and the server gave before, stays. */
export function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIp(spec) && hasClusterIp(old) && old.clusterIP !== undefined) {
    if (!spec.clusterIP && (spec.clusterIPs ?? []).length === 0) {
      spec.clusterIP = old.clusterIP;
      if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
    }
  }
  if (needsNodePorts(spec) && needsNodePorts(old)) keepNodePorts(spec.ports ?? [], old.ports ?? []);
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && !spec.healthCheckNodePort) {
    if (old.healthCheckNodePort !== undefined) spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const used = new Set(ports.flatMap((port) => (port.nodePort ? [`${protocolOf(port)} ${port.nodePort}`] : [])));
  for (const port of ports) {
    if (port.nodePort) continue;
    const before = old.find((item) => item.port === port.port && protocolOf(item) === protocolOf(port))?.nodePort;
    const key = `${protocolOf(port)} ${before}`;
    if (!before || used.has(key)) continue;
    port.nodePort = before;
    used.add(key);
  }
}

/** A change of type takes away what only the old type has, where the client just sent it along. */
export function dropForType(service: Service, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (spec === undefined || before === undefined) return;
  if (isExternalName(spec) && hasClusterIp(before)) {
    const sent = spec.clusterIP === undefined || spec.clusterIP === before.clusterIP;
    if (sent) {
      for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]) {
        Reflect.deleteProperty(spec, field);
      }
    }
  }
  if (needsNodePorts(before) && !needsNodePorts(spec) && jsonEqual(nodePortsOf(spec), nodePortsOf(before))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  const same = spec.healthCheckNodePort === before.healthCheckNodePort;
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec) && same) delete spec.healthCheckNodePort;
  const outward = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (
    !outward &&
    spec.externalTrafficPolicy === before.externalTrafficPolicy &&
    (spec.externalIPs ?? []).length === 0
  ) {
    delete spec.externalTrafficPolicy;
  }
  if (spec.type !== "LoadBalancer" && before.type === "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass;
  }
}
