import { type Container, type Pod, Pods } from "@skiff/api";
import { describeError, isAbort, resolvedOrAborted } from "@skiff/base";
import type { ContainerStatus } from "@skiff/runtime";
import { runHook } from "./hooks.ts";
import type { NodeParts } from "./node-parts.ts";
import { fieldPathOf, podIdentity, podText } from "./pod-identity.ts";

/** However short the grace, and whatever preStop took of it: this much is left for the process itself. */
const leastGraceSeconds = 2;

export interface StopOptions {
  readonly graceSeconds: number;
  /** Text of the `Killing` event. */
  readonly message: string;
  readonly podIp: string;
  /** Those that end first have ended. The hook does not wait for them, the stop signal does, within the grace. */
  readonly turn?: Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Ends a container: its preStop hook within the grace, then the stop signal, then SIGKILL. */
export async function stopContainer(
  parts: NodeParts,
  pod: Pod,
  status: ContainerStatus,
  options: StopOptions,
): Promise<void> {
  const { clock, runtime, recorder, cache } = parts;
  const { signal } = options;
  const containers: readonly Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const container = containers.find((one) => one.name === status.name);
  const fieldPath = fieldPathOf(pod, status);
  recorder.record(Pods, pod, { type: "Normal", reason: "Killing", message: options.message, fieldPath });
  const startMs = clock.monotonic();
  const hook = container?.lifecycle?.preStop;
  if (container !== undefined && hook !== undefined && options.graceSeconds > 0) {
    const deadline = new AbortController();
    using _ = clock.after(options.graceSeconds * 1000, () => deadline.abort());
    try {
      await runHook(
        hook,
        { container, containerId: status.id, podIp: options.podIp },
        { runtime, clock, signal: AbortSignal.any([signal, deadline.signal]) },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!isAbort(error, deadline.signal)) {
        parts.logger.info(`preStop of ${podText(podIdentity(pod))}: ${describeError(error)}`);
        const message = "PreStopHook failed";
        recorder.record(Pods, pod, { type: "Warning", reason: "FailedPreStopHook", message, fieldPath });
      }
    }
  }
  if (options.turn !== undefined) {
    const leftMs = options.graceSeconds * 1000 - (clock.monotonic() - startMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    using _ = clock.after(Math.max(0, leftMs), resolve);
    await resolvedOrAborted(Promise.race([options.turn, promise]), signal);
    signal.throwIfAborted();
  }
  const spentSeconds = Math.floor((clock.monotonic() - startMs) / 1000);
  // A grace of 0 or 1 was asked for with force: it is kept.
  const least = Math.min(leastGraceSeconds, options.graceSeconds);
  await runtime.stopContainer(status.id, Math.max(least, options.graceSeconds - spentSeconds), signal);
  await cache.refreshUnlessEnded(status.id, signal);
}
