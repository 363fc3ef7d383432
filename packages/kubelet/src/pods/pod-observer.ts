import type { Container, Pod } from "@skiff/api";
import type { ContainerStatus } from "@skiff/runtime";
import { PodProbes, type ProbeKind } from "../probes/pod-probes.ts";
import type { PodResize } from "../resize/pod-resize.ts";
import type { Waiting } from "./container-status.ts";
import type { NodeParts } from "./node-parts.ts";
import { newest, type ProbeVerdict } from "./plan.ts";
import { podIdentity } from "./pod-identity.ts";
import { type PodFailure, podStatus } from "./pod-status.ts";
import { StatusWriter } from "./status-writer.ts";
import { fairShare, terminationMessage } from "./termination-message.ts";

/** What a report of a pod's state needs from whoever drives the pod. */
export interface ReportInput {
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly starting: ReadonlySet<string>;
  readonly failure: PodFailure | undefined;
  /** Nothing is going to be restarted. */
  readonly terminating: boolean;
  /** Nothing runs any more. */
  readonly terminal: boolean;
  /** The pod's resources and what becomes of a change of them. */
  readonly resize: Pick<PodResize, "actual" | "actualPod" | "conditions">;
}

const allContainers = (pod: Pod): readonly Container[] => [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];

/** Watches one pod's containers (probes, last words) and reports what it sees as the pod's status. */
export class PodObserver implements AsyncDisposable {
  readonly #parts: NodeParts;
  readonly #probes: PodProbes;
  readonly #messages = new Map<string, string>();
  readonly status: StatusWriter;

  constructor(parts: NodeParts, pod: Pod, wake: () => void) {
    const { runtime, recorder, clock, random, logger, probeCounts: counts } = parts;
    this.#parts = parts;
    this.status = new StatusWriter(parts);
    this.#probes = new PodProbes(pod, { runtime, recorder, clock, random, logger, counts, onChange: wake });
  }

  /** The pod's object changed. */
  update(pod: Pod): void {
    this.#probes.pod = pod;
  }

  /** The address by which probes and hooks reach the pod. */
  podIp(pod: Pod): string {
    if (pod.spec.hostNetwork === true) return this.#parts.node.addresses[0] ?? "";
    return this.#parts.cache.view(pod.metadata.uid).sandboxes[0]?.ips[0] ?? "";
  }

  verdict(pod: Pod, name: string, kind: ProbeKind): ProbeVerdict {
    const running = this.#running(pod, name);
    return running === undefined ? "unknown" : this.#probes.verdict(running.id, kind);
  }

  /** Whether a running container passed its startup probe and its postStart hook. */
  isStarted(pod: Pod, name: string, starting: ReadonlySet<string>): boolean {
    const container = allContainers(pod).find((one) => one.name === name);
    if (container?.lifecycle?.postStart !== undefined && starting.has(name)) return false;
    return container?.startupProbe === undefined || this.verdict(pod, name, "startup") === "success";
  }

  /** Computes the pod's status from what is seen now, and has it written where it changed. */
  async report(pod: Pod, input: ReportInput, signal: AbortSignal): Promise<void> {
    const { cache, clock, node, runtimeName } = this.#parts;
    this.#watchProbes(pod);
    const view = cache.view(pod.metadata.uid);
    for (const one of view.containers) {
      if (one.state !== "exited" || this.#messages.has(one.id)) continue;
      const message = await terminationMessage(this.#parts, podIdentity(pod), one, signal);
      this.#messages.set(one.id, fairShare(message, pod));
    }
    const status = podStatus({
      pod: this.status.withLatest(pod),
      view,
      waiting: input.waiting,
      messages: this.#messages,
      runtimeName,
      started: (name) => this.isStarted(pod, name, input.starting),
      ready: (name) => this.#isReady(pod, name),
      terminating: input.terminating,
      nowMs: clock.now(),
      hostAddresses: node.addresses,
      failure: input.failure,
      terminal: input.terminal,
      resize: input.resize.conditions(),
      actual: (status) => input.resize.actual(status),
      actualPod: input.resize.actualPod,
      deviceHealth: (container) => this.#parts.deviceHealth(pod, container),
    });
    this.status.set(pod, status, signal);
  }

  /** The pod is being ended. */
  ending(): void {
    this.#probes.readinessOnly();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#probes[Symbol.asyncDispose]();
  }

  #running(pod: Pod, name: string): ContainerStatus | undefined {
    const last = newest(this.#parts.cache.view(pod.metadata.uid), name);
    return last?.state === "running" ? last : undefined;
  }

  #isReady(pod: Pod, name: string): boolean {
    const container = allContainers(pod).find((one) => one.name === name);
    return container?.readinessProbe === undefined || this.verdict(pod, name, "readiness") === "success";
  }

  #watchProbes(pod: Pod): void {
    const alive = new Set<string>();
    const known = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    for (const container of allContainers(pod)) {
      const running = this.#running(pod, container.name);
      if (running === undefined) continue;
      alive.add(running.id);
      // A container that was found running keeps what the API knows of it: a restart of the agent changes nothing.
      const status = known.find((one) => one.containerID?.endsWith(`//${running.id}`));
      const seed = { started: status?.started === true, ready: status?.ready === true };
      this.#probes.watch(container, { containerId: running.id, podIp: this.podIp(pod), seed });
    }
    this.#probes.keep(alive);
  }
}
