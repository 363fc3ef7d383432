import type { Container, Pod } from "@skiff/api";

/** What names a pod for as long as anything of it may live, also after its object is gone. */
export interface PodIdentity {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

export const podIdentity = (pod: Pod): PodIdentity => ({
  uid: pod.metadata.uid,
  name: pod.metadata.name,
  namespace: pod.metadata.namespace,
});

/** `web_default(6f1c…)`: how the kubelet's messages name a pod. */
export const podText = ({ name, namespace, uid }: PodIdentity): string => `${name}_${namespace}(${uid})`;

/** Where a container stands in its pod, for events: `spec.initContainers{name}`. */
export function fieldPathOf({ spec }: Pick<Pod, "spec">, { name }: Pick<Container, "name">): string {
  const has = (list: readonly Pick<Container, "name">[] | undefined) => list?.some((one) => one.name === name) === true;
  if (has(spec.initContainers)) return `spec.initContainers{${name}}`;
  return has(spec.ephemeralContainers) ? `spec.ephemeralContainers{${name}}` : `spec.containers{${name}}`;
}
