import { type Container, type Pod, Pods, type Probe } from "@skiff/api";
import { Background, type Clock, type Logger, type Random } from "@skiff/base";
import type { EventRecorder } from "@skiff/client";
import type { Runtime } from "@skiff/runtime";
import type { ProbeVerdict } from "../pods/plan.ts";
import { fieldPathOf } from "../pods/pod-identity.ts";
import type { ProbeCounts } from "./probe-counts.ts";
import type { ProbeResult } from "./probe-result.ts";
import { runProbe } from "./run-probe.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** Counts results of a probe in a row and says when they amount to a verdict. */
export function tally(probe: Pick<Probe, "successThreshold" | "failureThreshold">) {
  let last: "success" | "failure" | undefined;
  let run = 0;
  return (result: ProbeResult): "success" | "failure" | undefined => {
    if (result.kind === "errored") return undefined;
    run = result.kind === last ? run + 1 : 1;
    last = result.kind;
    const needed = last === "success" ? probe.successThreshold || 1 : probe.failureThreshold || 3;
    return run >= needed ? last : undefined;
  };
}

interface Watched {
  readonly abort: AbortController;
  /** Ends the probes that restart their container. */
  readonly restarting: AbortController;
  readonly verdicts: Map<ProbeKind, "success" | "failure">;
}

export interface PodProbesOptions {
  readonly runtime: Runtime;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly counts: ProbeCounts;
  /** A verdict changed. */
  readonly onChange: () => void;
}

/**
 * The probes of one pod's containers. Each container that runs is watched under its id: a new container starts anew, with
 * the startup probe before the others.
 */
export class PodProbes implements AsyncDisposable {
  readonly #options: PodProbesOptions;
  readonly #background: Background;
  readonly #watched = new Map<string, Watched>();
  #pod: Pod;
  #ending = false;

  constructor(pod: Pod, options: PodProbesOptions) {
    this.#pod = pod;
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
  }

  /** The pod's object as it is now, for events and for probes that are yet to start. */
  set pod(pod: Pod) {
    this.#pod = pod;
  }

  /** Starts probing a container that runs; nothing happens when it is probed already. */
  watch(
    container: Container,
    target: {
      readonly containerId: string;
      readonly podIp: string;
      /** What is known of a container that ran before this kubelet did. */
      readonly seed: { readonly started: boolean; readonly ready: boolean };
    },
  ): void {
    const { containerId, podIp, seed } = target;
    if (this.#watched.has(containerId)) return;
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const watched: Watched = { abort: new AbortController(), restarting: new AbortController(), verdicts: new Map() };
    if (this.#ending) watched.restarting.abort();
    this.#watched.set(containerId, watched);
    const launch = (kind: ProbeKind, probe: Probe | undefined, then?: () => void) => {
      if (probe === undefined) return;
      this.#background.run(`${kind} probe of ${container.name}`, (signal) =>
        this.#loop(
          { kind, probe, container, containerId, podIp, watched, then },
          AbortSignal.any([signal, watched.abort.signal, ...(kind === "readiness" ? [] : [watched.restarting.signal])]),
        ),
      );
    };
    const others = () => {
      launch("liveness", livenessProbe);
      launch("readiness", readinessProbe);
    };
    if (seed.started && startupProbe !== undefined) watched.verdicts.set("startup", "success");
    if (seed.ready && readinessProbe !== undefined) watched.verdicts.set("readiness", "success");
    if (startupProbe === undefined || seed.started) others();
    else launch("startup", startupProbe, others);
  }

  /** Ends the probing of containers that are not in `alive`. */
  keep(alive: ReadonlySet<string>): void {
    for (const [id, watched] of this.#watched) {
      if (alive.has(id)) continue;
      watched.abort.abort();
      this.#watched.delete(id);
    }
  }

  /** The pod is being ended: nothing is restarted any more, but whether it is ready is still asked. */
  readinessOnly(): void {
    this.#ending = true;
    for (const watched of this.#watched.values()) watched.restarting.abort();
  }

  /** What a probe of a container has come to so far. */
  verdict(containerId: string, kind: ProbeKind): ProbeVerdict {
    return this.#watched.get(containerId)?.verdicts.get(kind) ?? "unknown";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keep(new Set());
    this.#options.counts.forget(this.#pod.metadata.uid);
    await this.#background[Symbol.asyncDispose]();
  }

  async #loop(
    task: {
      readonly kind: ProbeKind;
      readonly probe: Probe;
      readonly container: Container;
      readonly containerId: string;
      readonly podIp: string;
      readonly watched: Watched;
      readonly then: (() => void) | undefined;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { kind, probe, container, watched } = task;
    const { runtime, clock, counts, onChange } = this.#options;
    const count = tally(probe);
    await clock.sleep((probe.initialDelaySeconds ?? 0) * 1000, signal);
    for (;;) {
      const startMs = clock.monotonic();
      const result = await runProbe(probe, task, { runtime, clock }, signal);
      signal.throwIfAborted();
      const { name: pod, namespace, uid: podUid } = this.#pod.metadata;
      const of = { kind, container: container.name, namespace, pod, podUid };
      counts.count(of, result.kind, (clock.monotonic() - startMs) / 1000);
      if (result.kind !== "success") this.#unhealthy(kind, container, result);
      else if (result.warning !== undefined)
        this.#say(kind, container, { reason: "ProbeWarning", message: `warning: ${result.warning}` });
      const verdict = count(result);
      if (verdict !== undefined && watched.verdicts.get(kind) !== verdict) {
        watched.verdicts.set(kind, verdict);
        onChange();
      }
      if (kind === "startup" && verdict === "success") return task.then?.();
      // The container is going to be restarted: its successor is probed anew.
      if (kind !== "readiness" && verdict === "failure") return;
      await clock.sleep((probe.periodSeconds || 10) * 1000, signal);
    }
  }

  #unhealthy(kind: ProbeKind, container: Container, result: Exclude<ProbeResult, { kind: "success" }>): void {
    const verb = result.kind === "errored" ? "errored and resulted in unknown state" : "failed";
    this.#say(kind, container, { reason: "Unhealthy", message: `${verb}: ${result.message}` });
  }

  #say(
    kind: ProbeKind,
    container: Container,
    { reason, message }: { readonly reason: string; readonly message: string },
  ): void {
    const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    this.#options.recorder.record(Pods, this.#pod, {
      type: "Warning",
      reason,
      message: `${name} probe ${message}`,
      fieldPath: fieldPathOf(this.#pod, container),
    });
  }
}
