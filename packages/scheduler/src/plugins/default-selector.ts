import {
  controllerOf,
  type LabelSelector,
  type Pod,
  ReplicaSets,
  ReplicationControllers,
  type ResourceDefinition,
  type Service,
  Services,
  StatefulSets,
} from "@skiff/api";
import type { ClusterView } from "../framework.ts";

/** What tells which pods are alike. */
export const selectorSources: readonly ResourceDefinition[] = [
  Services,
  ReplicationControllers,
  ReplicaSets,
  StatefulSets,
];

/** The pods that are like this one: those of its Services and of its controller. `undefined`: it has neither. */
export function defaultSelector(pod: Pod, cluster: ClusterView): LabelSelector | undefined {
  const { namespace, labels = {} } = pod.metadata;
  const matchLabels: Record<string, string> = {};
  for (const { spec } of servicesThatMayMean(pod, cluster)) {
    const wanted = Object.entries(spec.selector ?? {});
    if (wanted.every(([key, value]) => labels[key] === value)) Object.assign(matchLabels, spec.selector);
  }
  const owner = controllerOf(pod);
  const controlled = owner === undefined ? undefined : ownerSelector(owner, namespace, cluster);
  Object.assign(matchLabels, controlled?.matchLabels);
  const matchExpressions = controlled?.matchExpressions ?? [];
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) return undefined;
  return { matchLabels, ...(matchExpressions.length > 0 && { matchExpressions }) };
}

const byLabel = "a label that is selected";

/** Found by one label that each selects. */
function servicesThatMayMean({ metadata }: Pod, cluster: ClusterView): readonly Service[] {
  const { namespace, labels = {} } = metadata;
  const services = cluster.informer(Services);
  services.addIndex(byLabel, (service) => {
    const [first] = Object.entries(service.spec.selector ?? {});
    return first === undefined ? [] : [`${service.metadata.namespace}/${first.join("=")}`];
  });
  return Object.entries(labels).flatMap((label) => services.byIndex(byLabel, `${namespace}/${label.join("=")}`));
}

function ownerSelector(
  { kind, name, apiVersion }: { readonly kind: string; readonly name: string; readonly apiVersion: string },
  namespace: string | undefined,
  cluster: ClusterView,
): LabelSelector | undefined {
  if (apiVersion === "apps/v1" && kind === "ReplicaSet")
    return cluster.informer(ReplicaSets).get(name, namespace)?.spec.selector;
  if (apiVersion === "apps/v1" && kind === "StatefulSet")
    return cluster.informer(StatefulSets).get(name, namespace)?.spec.selector;
  if (apiVersion !== "v1" || kind !== "ReplicationController") return undefined;
  const selector = cluster.informer(ReplicationControllers).get(name, namespace)?.spec.selector;
  return selector === undefined ? undefined : { matchLabels: selector };
}
