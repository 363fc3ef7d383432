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

/** Says where the pod will go once all is prepared there, so that others leave the node its place. */
export const announceNode = (tools: StatusTools, pod: Pod, node: string, signal: AbortSignal): Promise<void> =>
  pod.status?.nominatedNodeName === node ? Promise.resolve() : nominate(tools, pod, node, signal);

/** Takes a nomination back: the node was promised to a more important pod. */
export const clearNomination = (tools: StatusTools, pod: Pod, signal: AbortSignal): Promise<void> =>
  nominate(tools, pod, null, signal);

async function nominate(
  { client, logger }: StatusTools,
  pod: Pod,
  nominatedNodeName: string | null,
  signal: AbortSignal,
): Promise<void> {
  try {
    const patch = { status: { nominatedNodeName } };
    await client.patch(Pods, pod.metadata, patch, { type: "strategic", subresource: "status", signal });
  } catch (error) {
    if (isAbort(error, signal) || isNotFound(error)) return;
    const { namespace, name } = pod.metadata;
    logger.warn(`cannot change the nomination of ${namespace}/${name}: ${describeError(error)}`);
  }
}
