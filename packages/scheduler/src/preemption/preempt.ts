import { isNotFound, type Pod, Pods } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { StatusTools } from "../pod-status-writer.ts";
import type { Candidate } from "./select-victims.ts";

/** Ends the pods that have to go for another. Throws what the API says; pods that are gone already are no failure. */
export async function preempt(
  tools: StatusTools,
  preemptor: Pod,
  { victims, node }: Candidate,
  signal: AbortSignal,
): Promise<void> {
  const leaving = victims.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  await Promise.all(leaving.map((victim) => endVictim(tools, { preemptor, victim, node: node.name }, signal)));
}

async function endVictim(
  { client, recorder, clock }: StatusTools,
  { preemptor, victim, node }: { readonly preemptor: Pod; readonly victim: Pod; readonly node: string },
  signal: AbortSignal,
): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: `${preemptor.spec.schedulerName ?? "default-scheduler"}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timestamp(clock.now()),
    observedGeneration: victim.metadata.generation,
  };
  const { uid } = victim.metadata;
  try {
    const patch = { status: { conditions: [condition] } };
    await client.patch(Pods, victim.metadata, patch, { type: "strategic", subresource: "status", signal });
    await client.delete(Pods, victim.metadata, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return;
  }
  const message = `Preempted by pod ${preemptor.metadata.uid} on node ${node}`;
  recorder.record(Pods, victim, { type: "Normal", reason: "Preempted", message });
}
