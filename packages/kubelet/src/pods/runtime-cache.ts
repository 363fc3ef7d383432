import type { Clock, Logger } from "@skiff/base";
import { describeError, isAbort } from "@skiff/base";
import {
  type ContainerStatus,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxStatus,
} from "@skiff/runtime";
import type { PodIdentity } from "./pod-identity.ts";
import { podOfLabels } from "./runtime-labels.ts";

/** What the runtime has of one pod, newest first. */
export interface PodView {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
}

interface Exit {
  readonly exitCode: number;
  readonly atMs: number;
  readonly oomKilled: boolean;
}

const gone = (error: unknown): boolean => error instanceof RuntimeError && error.code === "NOT_FOUND";

/** The newest first: by attempt, which only ever grows, then by the time of creation, as clocks may be set back. */
const newestFirst = (a: { createdAtMs: number; attempt: number }, b: { createdAtMs: number; attempt: number }) =>
  b.attempt - a.attempt || b.createdAtMs - a.createdAtMs;

/** A container as the event of its end tells it, before the runtime's own status does. */
export function withExit(status: ContainerStatus, exit: Exit | undefined): ContainerStatus {
  if (exit === undefined || status.state === "exited") return status;
  const reason = exit.oomKilled ? "OOMKilled" : exit.exitCode === 0 ? "Completed" : "Error";
  return { ...status, state: "exited", exitCode: exit.exitCode, finishedAtMs: exit.atMs, reason };
}

/**
 * What the runtime holds, by pod, kept current by the runtime's events and by what the kubelet itself does. Everything is
 * read anew when the event stream broke, and now and then for safety.
 */
export class RuntimeCache {
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #onChange: (uid: string) => void;
  #sandboxes = new Map<string, SandboxStatus>();
  #containers = new Map<string, ContainerStatus>();
  /** Ends heard of by event; kept until the container is removed, for the runtime's own status lags behind. */
  readonly #exits = new Map<string, Exit>();

  /** `onChange` hears the uid of each pod of which something changed in the runtime by itself. */
  constructor(options: {
    readonly runtime: Runtime;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onChange: (uid: string) => void;
  }) {
    this.#runtime = options.runtime;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  view(uid: string): PodView {
    const sandboxes = [...this.#sandboxes.values()].filter((one) => podOfLabels(one.labels)?.uid === uid);
    const containers = [...this.#containers.values()].filter((one) => podOfLabels(one.labels)?.uid === uid);
    return {
      sandboxes: sandboxes.sort((a, b) =>
        newestFirst(
          { createdAtMs: a.createdAtMs, attempt: a.metadata.attempt },
          { createdAtMs: b.createdAtMs, attempt: b.metadata.attempt },
        ),
      ),
      containers: containers.sort(newestFirst),
    };
  }

  /** Every pod of which the runtime has something. */
  pods(): readonly PodIdentity[] {
    const pods = new Map<string, PodIdentity>();
    for (const one of [...this.#sandboxes.values(), ...this.#containers.values()]) {
      const pod = podOfLabels(one.labels);
      if (pod !== undefined) pods.set(pod.uid, pod);
    }
    return [...pods.values()];
  }

  /** Reads everything anew; tells of the pods that changed. */
  async refresh(signal: AbortSignal): Promise<void> {
    const [sandboxList, containerList] = await Promise.all([
      this.#runtime.listPodSandboxes(signal),
      this.#runtime.listContainers(signal),
    ]);
    const changed = new Set<string>();
    const ids = new Set([...sandboxList, ...containerList].map((one) => one.id));
    for (const known of [this.#sandboxes, this.#containers]) {
      for (const [id, one] of known) {
        if (ids.has(id)) continue;
        known.delete(id);
        this.#exits.delete(id);
        const uid = podOfLabels(one.labels)?.uid;
        if (uid !== undefined) changed.add(uid);
      }
    }
    await Promise.all([
      ...sandboxList.map(async (one) => {
        const before = this.#sandboxes.get(one.id);
        if (before?.state === one.state) return;
        const uid = await this.refreshSandbox(one.id, signal);
        if (uid !== undefined) changed.add(uid);
      }),
      ...containerList.map(async (one) => {
        const before = this.#containers.get(one.id);
        if (before?.state === one.state) return;
        const uid = await this.refreshContainer(one.id, signal);
        if (uid !== undefined && this.#containers.get(one.id)?.state !== before?.state) changed.add(uid);
      }),
    ]);
    for (const uid of changed) this.#onChange(uid);
  }

  /** Reads one sandbox; gives the uid of its pod. */
  async refreshSandbox(id: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const status = await this.#runtime.podSandboxStatus(id, signal);
      this.#sandboxes.set(id, status);
      return podOfLabels(status.labels)?.uid;
    } catch (error) {
      if (!gone(error)) throw error;
      const uid = podOfLabels(this.#sandboxes.get(id)?.labels ?? {})?.uid;
      this.#sandboxes.delete(id);
      return uid;
    }
  }

  /** Reads one container; gives the uid of its pod. */
  async refreshContainer(id: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const status = await this.#runtime.containerStatus(id, signal);
      this.#containers.set(id, withExit(status, this.#exits.get(id)));
      return podOfLabels(status.labels)?.uid;
    } catch (error) {
      if (!gone(error)) throw error;
      const uid = podOfLabels(this.#containers.get(id)?.labels ?? {})?.uid;
      this.forgetContainer(id);
      return uid;
    }
  }

  forgetContainer(id: string): void {
    this.#containers.delete(id);
    this.#exits.delete(id);
  }

  forgetSandbox(id: string): void {
    this.#sandboxes.delete(id);
  }

  /** Follows the runtime until aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.#runtime.events(signal)) await this.#apply(event, signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#logger.warn(`runtime events: ${describeError(error)}`);
      }
      if (signal.aborted) return;
      await this.#clock.sleep(1000, signal);
      await this.refresh(signal).catch((error: unknown) => this.#logger.warn(describeError(error)));
    }
  }

  async #apply(event: RuntimeEvent, signal: AbortSignal): Promise<void> {
    try {
      const uid = await this.#podChangedBy(event, signal);
      if (uid !== undefined) this.#onChange(uid);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#logger.warn(`runtime event ${event.kind}: ${describeError(error)}`);
    }
  }

  async #podChangedBy(event: RuntimeEvent, signal: AbortSignal): Promise<string | undefined> {
    switch (event.kind) {
      case "containerExited": {
        this.#exits.set(event.containerId, event);
        const known = this.#containers.get(event.containerId);
        if (known === undefined) return this.refreshContainer(event.containerId, signal);
        // Started and ended so fast that the start was not read yet: the times are the runtime's to tell.
        if (known.startedAtMs === 0) return this.refreshContainer(event.containerId, signal);
        this.#containers.set(event.containerId, withExit(known, event));
        return podOfLabels(known.labels)?.uid;
      }
      case "containerStarted": {
        // The kubelet's own starts are read by whoever started; only those of others are news.
        const known = this.#containers.get(event.containerId);
        return known === undefined || known.state === "created"
          ? this.refreshContainer(event.containerId, signal)
          : undefined;
      }
      case "containerDeleted": {
        const uid = podOfLabels(this.#containers.get(event.containerId)?.labels ?? {})?.uid;
        if (uid !== undefined) await this.refreshContainer(event.containerId, signal);
        return uid;
      }
      case "sandboxStopped":
        return this.refreshSandbox(event.sandboxId, signal);
      case "containerCreated":
        return undefined;
      case "resync":
        await this.refresh(signal);
        return undefined;
    }
  }
}
