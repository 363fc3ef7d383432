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

/** What is known of one pod, by id. */
interface Held {
  readonly pod: PodIdentity;
  readonly sandboxes: Map<string, SandboxStatus>;
  readonly containers: Map<string, ContainerStatus>;
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
  /** By the pods' uids. */
  readonly #held = new Map<string, Held>();
  /** Uids of pods by the ids of what they have in the runtime. */
  readonly #owners = new Map<string, string>();
  /** Containers that the kubelet is starting. */
  readonly #starting = new Set<string>();
  /** Ends heard of by event; kept until the container is removed, for the runtime's own status lags behind. */
  readonly #exits = new Map<string, Exit>();
  /** Ended containers whose logs are whole. */
  readonly #written = new Set<string>();

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
    const held = this.#held.get(uid);
    if (held === undefined) return { sandboxes: [], containers: [] };
    return {
      sandboxes: [...held.sandboxes.values()].sort((a, b) =>
        newestFirst(
          { createdAtMs: a.createdAtMs, attempt: a.metadata.attempt },
          { createdAtMs: b.createdAtMs, attempt: b.metadata.attempt },
        ),
      ),
      containers: [...held.containers.values()].sort(newestFirst),
    };
  }

  /** Every pod of which the runtime has something. */
  pods(): readonly PodIdentity[] {
    return [...this.#held.values()].map(({ pod }) => pod);
  }

  /** Reads everything anew; tells of the pods that changed. */
  async refresh(signal: AbortSignal): Promise<void> {
    const [sandboxList, containerList] = await Promise.all([
      this.#runtime.listPodSandboxes(signal),
      this.#runtime.listContainers(signal),
    ]);
    const changed = new Set<string>();
    const ids = new Set([...sandboxList, ...containerList].map((one) => one.id));
    for (const [id, uid] of [...this.#owners]) {
      if (ids.has(id)) continue;
      this.#forget(id);
      changed.add(uid);
    }
    await Promise.all([
      ...sandboxList.map(async (one) => {
        const before = this.#sandbox(one.id);
        if (before?.state === one.state) return;
        const uid = await this.refreshSandbox(one.id, signal);
        if (uid !== undefined) changed.add(uid);
      }),
      ...containerList.map(async (one) => {
        const before = this.#container(one.id);
        if (before?.state === one.state) return;
        const uid = await this.refreshContainer(one.id, signal);
        if (uid !== undefined && this.#container(one.id)?.state !== before?.state) changed.add(uid);
      }),
    ]);
    for (const uid of changed) this.#onChange(uid);
  }

  /** Reads one sandbox; gives the uid of its pod. */
  async refreshSandbox(id: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const status = await this.#runtime.podSandboxStatus(id, signal);
      return this.#keep(status, ({ sandboxes }) => sandboxes.set(id, status));
    } catch (error) {
      if (!gone(error)) throw error;
      return this.#forget(id);
    }
  }

  /** Reads one container; gives the uid of its pod. */
  async refreshContainer(id: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const status = await this.#runtime.containerStatus(id, signal);
      return this.#keep(status, ({ containers }) => containers.set(id, withExit(status, this.#exits.get(id))));
    } catch (error) {
      if (!gone(error)) throw error;
      return this.#forget(id);
    }
  }

  /** Until disposal, whoever starts this container reads what became of it: the event of its start is no news. */
  starting(id: string): Disposable {
    this.#starting.add(id);
    return { [Symbol.dispose]: () => this.#starting.delete(id) };
  }

  /** Reads a container of which it is not known yet that it has ended. */
  async refreshUnlessEnded(id: string, signal: AbortSignal): Promise<void> {
    if (this.#container(id)?.state !== "exited") await this.refreshContainer(id, signal);
  }

  /** Waits until all is in the log of a container that has ended. */
  async logWritten(id: string, signal: AbortSignal): Promise<void> {
    if (this.#written.has(id)) return;
    await this.#runtime.logWritten(id, signal);
    if (this.#owners.has(id)) this.#written.add(id);
  }

  forgetContainer(id: string): void {
    this.#forget(id);
  }

  forgetSandbox(id: string): void {
    this.#forget(id);
  }

  #sandbox(id: string): SandboxStatus | undefined {
    return this.#held.get(this.#owners.get(id) ?? "")?.sandboxes.get(id);
  }

  #container(id: string): ContainerStatus | undefined {
    return this.#held.get(this.#owners.get(id) ?? "")?.containers.get(id);
  }

  /** Keeps what belongs to a pod; gives the pod's uid. */
  #keep({ id, labels }: SandboxStatus | ContainerStatus, put: (held: Held) => void): string | undefined {
    const pod = podOfLabels(labels);
    if (pod === undefined) return undefined;
    const held = this.#held.get(pod.uid) ?? { pod, sandboxes: new Map(), containers: new Map() };
    this.#held.set(pod.uid, held);
    this.#owners.set(id, pod.uid);
    put(held);
    return pod.uid;
  }

  /** Gives the uid of the pod that it belonged to. */
  #forget(id: string): string | undefined {
    this.#exits.delete(id);
    this.#written.delete(id);
    const uid = this.#owners.get(id);
    const held = this.#held.get(uid ?? "");
    if (uid === undefined || held === undefined) return undefined;
    this.#owners.delete(id);
    held.sandboxes.delete(id);
    held.containers.delete(id);
    if (held.sandboxes.size + held.containers.size === 0) this.#held.delete(uid);
    return uid;
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
        const known = this.#container(event.containerId);
        // Started and ended so fast that the start was not read yet: the times are the runtime's to tell.
        if (known === undefined || known.startedAtMs === 0) return this.refreshContainer(event.containerId, signal);
        return this.#keep(known, ({ containers }) => containers.set(known.id, withExit(known, event)));
      }
      case "containerStarted": {
        // The kubelet's own starts are read by whoever started; only those of others are news.
        if (this.#starting.has(event.containerId)) return undefined;
        const known = this.#container(event.containerId);
        return known === undefined || known.state === "created"
          ? this.refreshContainer(event.containerId, signal)
          : undefined;
      }
      case "containerDeleted":
        return this.#forget(event.containerId);
      case "sandboxStopped": {
        const known = this.#sandbox(event.sandboxId);
        if (known === undefined) return this.refreshSandbox(event.sandboxId, signal);
        return this.#keep(known, ({ sandboxes }) => sandboxes.set(known.id, { ...known, state: "notReady" }));
      }
      case "resync":
        await this.refresh(signal);
        return undefined;
    }
  }
}
