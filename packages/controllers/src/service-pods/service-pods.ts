import {
  controllerOf,
  isSidecar,
  type KubeObject,
  type Pod,
  type Service,
  type ServicePort,
  Services,
} from "@skiff/api";
import type { Caches } from "@skiff/control-loop";

/** The Services that select a pod: whose endpoints a change of the pod concerns. */
export function servicesOf(pod: Pod, { cached }: Caches): readonly Service[] {
  const { labels, namespace } = pod.metadata;
  if (labels === undefined) return [];
  return cached(Services)
    .list(namespace)
    .filter(({ spec }) => selects(spec.selector, labels));
}

/** A Service without a selector selects nothing; its endpoints are somebody else's work. Asked for every change of a pod. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false;
  for (const key in selector) if (labels?.[key] !== selector[key]) return false;
  return true;
}

/** The port of a pod that a Service's port leads to; `undefined` where the pod has no port of that name. */
export function targetPortOf({ targetPort, port, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  if (typeof targetPort === "number") return targetPort;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  return containers
    .flatMap(({ ports }) => ports ?? [])
    .find(({ name, protocol: own = "TCP" }) => name === targetPort && own === protocol)?.containerPort;
}

/** The name that DNS gives the pod below a headless Service. */
export const hostnameUnder = (service: Service, { spec }: Pod): string | undefined =>
  spec.hostname && spec.subdomain === service.metadata.name ? spec.hostname : undefined;

/** True for addresses with colons. */
const isIPv6 = (address: string): boolean => address.includes(":");

/** The addresses of one family that a pod has. */
export function addressesOf({ status }: Pod, family: string): readonly string[] {
  const all = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
  return all.filter((ip) => ip !== "" && isIPv6(ip) === (family === "IPv6"));
}

/** The families that a Service has addresses of. */
export function familiesOf({ spec }: Service): readonly string[] {
  if (spec.ipFamilies !== undefined && spec.ipFamilies.length > 0) return spec.ipFamilies;
  return [spec.clusterIP !== undefined && isIPv6(spec.clusterIP) ? "IPv6" : "IPv4"];
}

export const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === "None";

/** A pod as endpoints refer to it. */
export const podReference = ({ metadata }: Pod) => ({
  kind: "Pod",
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
});

/** True when `owner` made the object. */
export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid;
