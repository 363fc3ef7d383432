import { isNotFound, type Pod, Pods, podCondition } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger, timestamp } from "@skiff/base";
import type { Client, EventRecorder } from "@skiff/client";

/** What the status of pods is written with. */
export interface StatusTools {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Why a pod has no node yet. */
export interface Unscheduled {
  readonly reason: "Unschedulable" | "SchedulerError";
  readonly message: string;
  /** The node where room is being made; empty: there is none any more. Absent: as before. */
  readonly nominated: string | undefined;
}

/** Says in an event and in the pod's status why it has no node; what it says already is not written again. */
export async function markUnscheduled(
  { client, recorder, clock, logger }: StatusTools,
  pod: Pod,
  { reason, message, nominated }: Unscheduled,
  signal: AbortSignal,
): Promise<void> {
  recorder.record(Pods, pod, { type: "Warning", reason: "FailedScheduling", message });
  const before = podCondition(pod, "PodScheduled");
  const told = before?.status === "False" && before.message === message && before.reason === reason;
  const renominated = nominated !== undefined && nominated !== (pod.status?.nominatedNodeName ?? "");
  if (told && !renominated) return;
  const condition = {
    type: "PodScheduled",
    status: "False",
    reason,
    message,
    lastTransitionTime: before?.status === "False" ? before.lastTransitionTime : timestamp(clock.now()),
    observedGeneration: pod.metadata.generation,
  };
  const status = {
    ...(told ? {} : { conditions: [condition] }),
    ...(renominated ? { nominatedNodeName: nominated || null } : {}),
  };
  try {
    await client.patch(Pods, pod.metadata, { status }, { type: "strategic", subresource: "status", signal });
  } catch (error) {
    if (isAbort(error, signal) || isNotFound(error)) return;
    logger.warn(`cannot mark ${pod.metadata.namespace}/${pod.metadata.name}: ${describeError(error)}`);
  }
}

/** Takes a nomination back: the node was promised to a more important pod. */
export async function clearNomination({ client, logger }: StatusTools, pod: Pod, signal: AbortSignal): Promise<void> {
  try {
    const patch = { status: { nominatedNodeName: null } };
    await client.patch(Pods, pod.metadata, patch, { type: "strategic", subresource: "status", signal });
  } catch (error) {
    if (isAbort(error, signal) || isNotFound(error)) return;
    logger.warn(
      `cannot clear the nomination of ${pod.metadata.namespace}/${pod.metadata.name}: ${describeError(error)}`,
    );
  }
}
