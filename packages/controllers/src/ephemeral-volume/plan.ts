import { type New, ownerReference, type PersistentVolumeClaim, type Pod, Pods, type Volume } from "@skiff/api";

/** The name of the claim that is made for a pod's volume. */
export const claimNameOf = ({ metadata }: Pod, volume: Pick<Volume, "name">): string =>
  `${metadata.name}-${volume.name}`;

/** What is wrong with a claim of that name; `undefined` where it was made for the pod. */
export function notForPod(pod: Pod, { metadata }: PersistentVolumeClaim): string | undefined {
  const owned = metadata.ownerReferences?.some(
    ({ uid, controller }) => uid === pod.metadata.uid && controller === true,
  );
  if (owned === true) return undefined;
  const { namespace, name } = metadata;
  return `PVC ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}

/** The claim for an ephemeral volume: it goes with the pod. */
export function claimFor(pod: Pod, volume: Volume): New<PersistentVolumeClaim> | undefined {
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template === undefined) return undefined;
  const { annotations, labels } = template.metadata ?? {};
  return {
    metadata: {
      name: claimNameOf(pod, volume),
      namespace: pod.metadata.namespace,
      ownerReferences: [ownerReference(Pods, pod)],
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: template.spec,
  };
}
