import type { Clock } from "@skiff/base";
import type { GrpcChannel } from "@skiff/grpc";
import { ContainerState, RuntimeService } from "./generated/runtime-v1.ts";
import { isNotFound } from "./grpc-error.ts";

/** containerd hands a log's last lines to its file after it says that all was read. */
const settleMs = 50;
const lookMs = 5000;
const longestPauseMs = 100;
/** Whoever waits for a log goes on without its end when containerd does not come to say so. */
const limitMs = 10_000;

/**
 * Waits until containerd has written all that an ended container's processes said. The event of the end comes from the shim:
 * what was said last is in a pipe then, and containerd reads on. Only when it has done with that does the CRI's status tell the
 * end. (1.6.20 may close a pipe that is full before it has read all: what was in it is lost to everybody.)
 */
export async function logWritten(
  channel: Pick<GrpcChannel, "call">,
  id: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const endMs = clock.monotonic() + limitMs;
  for (let pauseMs = 5; clock.monotonic() < endMs; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const call = { signal, deadlineMs: lookMs };
      const { status } = await channel.call(RuntimeService.containerStatus, { containerId: id }, call);
      if (status?.state === ContainerState.CONTAINER_EXITED) break;
    } catch (error) {
      signal.throwIfAborted();
      if (isNotFound(error)) return;
    }
    await clock.sleep(pauseMs, signal);
  }
  await clock.sleep(settleMs, signal);
}
