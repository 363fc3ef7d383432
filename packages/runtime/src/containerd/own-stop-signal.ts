import type { GrpcChannel } from "@skiff/grpc";
import { stopSignalOf } from "./cri-container.ts";
import { ContainerState, RuntimeService } from "./generated/runtime-v1.ts";
import { isNotFound } from "./grpc-error.ts";
import type { ContainerFacts } from "./known-containers.ts";
import { nativeCall, Tasks } from "./native.ts";
import { signalNumber } from "./signal-number.ts";

/** Sends a container that asked for another signal than its image's that one, before it is stopped. */
export async function sendOwnStopSignal(
  channel: GrpcChannel,
  { id, facts }: { readonly id: string; readonly facts: ContainerFacts | undefined },
  call: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<void> {
  if (facts !== undefined && facts.stopSignal === undefined) return;
  const absent = <T>(otherwise: T) => {
    return (error: unknown): T => {
      if (isNotFound(error)) return otherwise;
      throw error;
    };
  };
  const asked = channel.call(RuntimeService.containerStatus, { containerId: id }, call);
  const { status } = await asked.catch(absent({ status: undefined }));
  const name = status === undefined ? undefined : stopSignalOf(status.annotations);
  if (name === undefined || status?.state !== ContainerState.CONTAINER_RUNNING) return;
  await nativeCall(channel, Tasks.kill, { containerId: id, signal: signalNumber(name) }, call).catch(absent(undefined));
}
