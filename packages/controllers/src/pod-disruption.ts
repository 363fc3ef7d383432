import { isNotFound, type Pod, type PodCondition, Pods } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { ReconcileContext } from "@skiff/control-loop";

/** Tells in the pod's status why it is about to be taken away, for those who decide whether to replace it. */
export async function markDisrupted(
  pod: Pod,
  target: { readonly reason: string; readonly message: string; readonly phase?: string },
  { client, clock, signal }: ReconcileContext,
): Promise<void> {
  const { reason, message, phase } = target;
  const condition: PodCondition = {
    type: "DisruptionTarget",
    status: "True",
    reason,
    message,
    lastTransitionTime: timestamp(clock.now()),
    observedGeneration: pod.metadata.generation,
  };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const status = { ...pod.status, conditions: [...others, condition], ...(phase === undefined ? {} : { phase }) };
  await client.updateStatus(Pods, { ...pod, status }, { signal });
}

/** Says for a pod that nobody runs any more that it has ended. */
export async function markFailed(pod: Pod, { client, signal }: ReconcileContext): Promise<void> {
  try {
    await client.updateStatus(Pods, { ...pod, status: { ...pod.status, phase: "Failed" } }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Deletes this very pod; one that is gone already is as good. */
export async function deletePod(
  pod: Pod,
  options: { readonly gracePeriodSeconds?: number },
  { client, signal }: ReconcileContext,
): Promise<void> {
  const { uid } = pod.metadata;
  try {
    await client.delete(Pods, pod.metadata, { ...options, preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
