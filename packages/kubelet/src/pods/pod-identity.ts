import type { Pod } from "@skiff/api";

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
