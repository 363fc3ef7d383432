import { type Container, type Pod, Pods } from "@skiff/api";
import { describeError, durationText, isAbort } from "@skiff/base";
import type { ContainerStatus } from "@skiff/runtime";
import type { Waiting } from "./container-status.ts";
import { configOfSandbox } from "./make-sandbox.ts";
import type { NodeParts } from "./node-parts.ts";
import { newest } from "./plan.ts";
import { fieldPathOf, podIdentity, podText } from "./pod-identity.ts";
import { restartCountOf } from "./runtime-labels.ts";
import { StartBackoff } from "./start-backoff.ts";
import { StartFailure, startContainer } from "./start-container.ts";

/** The starts of one pod's containers: which are under way, which failed and why, and when each may be tried again. */
export class ContainerStarts {
  readonly #parts: NodeParts;
  readonly #volumesReady: Promise<void>;
  readonly #wake: () => void;
  readonly #backoff: StartBackoff;
  readonly #starting = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Waiting>();
  /**
   * When a container may be tried again, by its name and then its image: another image is tried at once, and no two by turns,
   * as containers of one name would be.
   */
  readonly #retryAtMs = new Map<string, Map<string | undefined, number>>();
  /** The ended container that the back-off of each name has counted last. */
  readonly #counted = new Map<string, string>();

  constructor(parts: NodeParts, volumesReady: Promise<void>, wake: () => void) {
    this.#parts = parts;
    this.#volumesReady = volumesReady;
    this.#wake = wake;
    this.#backoff = new StartBackoff(parts.clock);
  }

  /** Names of the containers that are being started. */
  get underWay(): ReadonlySet<string> {
    return new Set(this.#starting.keys());
  }

  /** Why containers are not running, by name. */
  get waiting(): ReadonlyMap<string, Waiting> {
    return this.#waiting;
  }

  /** Resolves when nothing is being started any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#starting.values());
  }

  /** What a container lacked may be there now. */
  retryConfiguration(): void {
    for (const [name, waiting] of this.#waiting)
      if (waiting.reason === "CreateContainerConfigError") this.#retryAtMs.delete(name);
  }

  /** Milliseconds until a container may be started again. */
  backoffMs(container: Container, last: ContainerStatus | undefined): number {
    const retryAtMs = this.#retryAtMs.get(container.name)?.get(container.image) ?? 0;
    const retryMs = retryAtMs - this.#parts.clock.monotonic();
    const crashMs = last?.state === "exited" ? this.#backoff.remainingMs(container, last.finishedAtMs) : 0;
    return Math.max(0, retryMs, crashMs);
  }

  /** Says that a container waits because it keeps ending, once for each delay. */
  announceBackoff(pod: Pod, container: Container): void {
    const { cache, recorder } = this.#parts;
    const { name } = container;
    const last = newest(cache.view(pod.metadata.uid), name);
    if (last?.state !== "exited" || this.#backoff.remainingMs(container, last.finishedAtMs) <= 0) return;
    const who = podText(podIdentity(pod));
    const delay = durationText(this.#backoff.delayMs(container));
    const message = `back-off ${delay} restarting failed container=${name} pod=${who}`;
    if (this.#waiting.get(name)?.message === message) return;
    this.#retryAtMs.delete(name);
    this.#waiting.set(name, { reason: "CrashLoopBackOff", message });
    recorder.record(Pods, pod, {
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container ${name} in pod ${who}`,
      fieldPath: fieldPathOf(pod, { name }),
    });
  }

  /** Starts containers, each after the one before it has come up (or failed). */
  startAll(pod: Pod, containers: readonly Container[], signal: AbortSignal): void {
    let turn: Promise<void> = Promise.resolve();
    for (const container of containers) turn = this.#start(pod, container, { turn, signal });
  }

  #start(
    pod: Pod,
    container: Container,
    { turn, signal }: { readonly turn: Promise<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    const { cache, logger, lifeCounts } = this.#parts;
    const { name } = container;
    const view = cache.view(pod.metadata.uid);
    const sandbox = view.sandboxes.find((one) => one.state === "ready");
    if (sandbox === undefined) return turn;
    const last = newest(view, name);
    // Each end counts once, however often its successor's image cannot be had.
    if (last?.state === "exited" && this.#counted.get(name) !== last.id) {
      this.#counted.set(name, last.id);
      this.#backoff.started(container, last.finishedAtMs);
    }
    const config = configOfSandbox(this.#parts, pod, sandbox.metadata.attempt);
    lifeCounts.containerStarts(pod, name);
    const started = startContainer(this.#parts, {
      pod,
      container,
      attempt: nextAttempt(pod, container, last),
      signal,
      volumes: this.#volumesReady,
      sandbox: { status: sandbox, config },
      turn,
    });
    const task = started
      .then(() => {
        this.#waiting.delete(name);
        this.#retryAtMs.delete(name);
      })
      .catch((error: unknown) => {
        if (error instanceof StartFailure) {
          this.#failed(container, { reason: error.reason, message: error.message }, error.retryMs);
          lifeCounts.containerFailed(pod, name, error.reason);
        } else if (!isAbort(error, signal)) {
          logger.warn(`start of ${name} in ${podText(podIdentity(pod))}: ${describeError(error)}`);
          this.#failed(container, { reason: "CreateContainerError", message: describeError(error) }, 10_000);
        }
      })
      .finally(() => {
        this.#starting.delete(name);
        this.#wake();
      });
    this.#starting.set(name, task);
    return task;
  }

  #failed({ name, image }: Container, waiting: Waiting, retryMs: number): void {
    this.#waiting.set(name, waiting);
    const byImage = this.#retryAtMs.get(name) ?? new Map<string | undefined, number>();
    this.#retryAtMs.set(name, byImage.set(image, this.#parts.clock.monotonic() + retryMs));
  }
}

/** Counts on from what the runtime has, or else from what the API knows. */
function nextAttempt(pod: Pod, container: Container, last: ContainerStatus | undefined): number {
  if (last !== undefined) return restartCountOf(last) + 1;
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const known = [...containerStatuses, ...initContainerStatuses].find((one) => one.name === container.name);
  if (known === undefined) return 0;
  // Once the API was told of the loss, it has been counted.
  return known.containerID === undefined ? known.restartCount : known.restartCount + 1;
}
