import { PersistentVolumeClaims, type Pod, Pods, type Volume } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import { defineController, done, type ReconcileContext, watching } from "@skiff/control-loop";
import { claimFor, claimNameOf, notForPod } from "./plan.ts";

/** Makes the claims of pods' generic ephemeral volumes. https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes */
export const ephemeralVolumeController = defineController<Pod>({
  name: "ephemeral-volume",
  component: "ephemeral_volume",
  for: Pods,
  concerns: ({ spec }) => spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true,
  watches: [
    // A claim that somebody has deleted is made again.
    watching(PersistentVolumeClaims, ({ metadata: { namespace, ownerReferences = [] } }) =>
      ownerReferences.filter(({ kind }) => kind === "Pod").map(({ name }) => ({ namespace, name })),
    ),
  ],
  async reconcile(pod, context) {
    if (pod.metadata.deletionTimestamp !== undefined) return done;
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.ephemeral === undefined) continue;
      try {
        await seeTo(pod, volume, context);
      } catch (error) {
        if (isAbort(error, context.signal)) throw error;
        const message = `ephemeral volume ${volume.name}: ${describeError(error)}`;
        context.recorder.record(Pods, pod, { type: "Warning", reason: "FailedBinding", message });
        throw error;
      }
    }
    return done;
  },
});

async function seeTo(pod: Pod, volume: Volume, context: ReconcileContext) {
  const { client, cached, signal } = context;
  const name = claimNameOf(pod, volume);
  const known = cached(PersistentVolumeClaims).get(name, pod.metadata.namespace);
  if (known !== undefined) {
    const problem = notForPod(pod, known);
    if (problem !== undefined) throw new Error(problem);
    return;
  }
  const claim = claimFor(pod, volume);
  if (claim === undefined) return;
  try {
    await client.create(PersistentVolumeClaims, claim, { signal });
  } catch (error) {
    throw isAbort(error, signal) ? error : new Error(`create PVC ${name}: ${describeError(error)}`);
  }
}
