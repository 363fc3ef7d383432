import { type Pod, type PodCondition, Pods } from "@skiff/api";
import { describeError, isAbort, timestamp } from "@skiff/base";
import type { CgroupLimits } from "@skiff/host";
import type { ContainerStatus } from "@skiff/runtime";
import { containerResources } from "../cgroups/resources.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import type { StopAction } from "../pods/plan.ts";
import { runtimeAnnotations } from "../pods/runtime-labels.ts";
import {
  type Allocation,
  desiredAllocation,
  parseResources,
  type Resources,
  resourcesOf,
  sameAllocation,
  withAllocation,
} from "./allocation.ts";
import { judgeResize, resizeMessage } from "./judge-resize.ts";
import { type ContainerResize, looser, planResize } from "./plan-resize.ts";
import { readResizeRecord, writeResizeRecord } from "./resize-file.ts";

/** How often a resize that the node has no room for now, or that failed, is tried again. */
const deferredMs = 180_000;
const failedMs = 10_000;

interface Pending {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
  readonly generation: number;
  readonly sinceMs: number;
}

interface Progress {
  readonly generation: number;
  readonly error: string | undefined;
  readonly sinceMs: number;
}

/** What a step of a resize asks of the pod's worker. */
export interface ResizeStep {
  readonly stop: readonly StopAction[];
  /** When to look again, at the latest. */
  readonly recheckMs?: number;
}

/** Resources that a container was made with, from its annotations. */
function madeWith(status: ContainerStatus): Resources | undefined {
  try {
    return parseResources(JSON.parse(status.annotations[runtimeAnnotations.resources] ?? ""));
  } catch {
    return undefined;
  }
}

/**
 * One pod's resources, which can change while it runs: what its object asks for is granted where the node has it, and what
 * was granted is brought to the cgroups.
 * https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
export class PodResize {
  readonly #parts: NodeParts;
  #allocation: Allocation | undefined;
  #actual: Record<string, Resources> = {};
  #pending: Pending | undefined;
  #progress: Progress | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** Takes up what was granted before the agent was restarted. */
  async load(pod: Pod): Promise<void> {
    const { folders, cache, clock } = this.#parts;
    const { uid, generation = 0 } = pod.metadata;
    const record = await readResizeRecord(folders, uid);
    const view = cache.view(uid);
    this.#actual = { ...record?.actual };
    const desired = desiredAllocation(pod);
    // What never was resized has what its containers were made with.
    const made = Object.entries(desired.containers).map(([name, resources]) => {
      const status = view.containers.find((one) => one.name === name);
      return [name, (status === undefined ? undefined : madeWith(status)) ?? resources] as const;
    });
    this.#allocation = record?.allocation ?? { ...desired, containers: Object.fromEntries(made) };
    if (planResize(this.granted(pod), view, (id) => this.#given(pod, id)).length > 0)
      this.#progress = { generation, error: undefined, sinceMs: clock.now() };
  }

  /** The pod as it was granted. */
  granted(pod: Pod): Pod {
    return withAllocation(pod, this.#allocation);
  }

  /** Whether the pod waits for room. */
  get isDeferred(): boolean {
    return this.#pending?.reason === "Deferred";
  }

  /** What a running container was really given. */
  actual(status: ContainerStatus): Resources | undefined {
    return this.#actual[status.id] ?? madeWith(status);
  }

  /** The conditions that tell of a resize that is not done. */
  conditions(): readonly PodCondition[] {
    const conditions: PodCondition[] = [];
    if (this.#pending !== undefined) {
      const { reason, message, generation, sinceMs } = this.#pending;
      const lastTransitionTime = timestamp(sinceMs);
      conditions.push({
        type: "PodResizePending",
        status: "True",
        reason,
        message,
        lastTransitionTime,
        observedGeneration: generation,
      });
    }
    if (this.#progress !== undefined) {
      const { error, generation, sinceMs } = this.#progress;
      conditions.push({
        type: "PodResizeInProgress",
        status: "True",
        ...(error === undefined ? {} : { reason: "Error", message: error }),
        lastTransitionTime: timestamp(sinceMs),
        observedGeneration: generation,
      });
    }
    return conditions;
  }

  /** Grants what can be granted, and gives running containers what was granted. */
  async step(pod: Pod, starting: ReadonlySet<string>, signal: AbortSignal): Promise<ResizeStep> {
    const before = this.granted(pod);
    const granted = this.#grant(pod);
    if (granted) await this.#save(pod);
    const retry = this.isDeferred ? { recheckMs: deferredMs } : {};
    if (this.#progress === undefined) return { stop: [], ...retry };
    const now = this.granted(pod);
    const plan = planResize(now, this.#parts.cache.view(pod.metadata.uid), (id) => this.#given(pod, id));
    try {
      await this.#actuate({ before, now }, plan, signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#failed(now, describeError(error));
      return { stop: [], recheckMs: failedMs };
    }
    const stop = plan
      .filter((one) => one.restart)
      .map(({ container, status }) => ({
        container: status,
        message: `Container ${container.name} resize requires restart`,
      }));
    if (stop.length === 0 && starting.size === 0) this.#complete(now);
    return { stop, ...retry };
  }

  #given(pod: Pod, id: string): Resources | undefined {
    const status = this.#parts.cache.view(pod.metadata.uid).containers.find((one) => one.id === id);
    return status === undefined ? undefined : this.actual(status);
  }

  /** Decides about what the object asks for anew; true where that was granted. */
  #grant(pod: Pod): boolean {
    const { recorder, clock, allocatable, pods } = this.#parts;
    const desired = desiredAllocation(pod);
    const generation = pod.metadata.generation ?? 0;
    this.#allocation ??= desired;
    if (sameAllocation(desired, this.#allocation)) {
      this.#pending = undefined;
      return false;
    }
    const others = pods.active().filter((one) => one.metadata.uid !== pod.metadata.uid);
    const verdict = judgeResize(pod, { allocatable, others });
    if (verdict.kind === "granted") {
      this.#allocation = desired;
      this.#pending = undefined;
      this.#progress = { generation, error: undefined, sinceMs: clock.now() };
      const message = resizeMessage("Pod resize started", pod);
      recorder.record(Pods, pod, { type: "Normal", reason: "ResizeStarted", message });
      pods.resourcesFreed();
      return true;
    }
    const reason = verdict.kind === "deferred" ? "Deferred" : "Infeasible";
    const { message } = verdict;
    const old = this.#pending;
    if (old?.reason === reason && old.message === message && old.generation === generation) return false;
    this.#pending = { reason, message, generation, sinceMs: old?.sinceMs ?? clock.now() };
    recorder.record(Pods, pod, {
      type: "Warning",
      reason: `Resize${reason}`,
      message: resizeMessage(`Pod resize ${reason}`, pod, message),
    });
    return false;
  }

  async #actuate(
    pods: { readonly before: Pod; readonly now: Pod },
    plan: readonly ContainerResize[],
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime, cgroups, memoryCapacityBytes } = this.#parts;
    const { before, now } = pods;
    const [old, limits] = [unlimited(cgroups.limits(before)), unlimited(cgroups.limits(now))];
    const cpuQuotaUs = looser(old.cpuQuotaUs, limits.cpuQuotaUs);
    const memoryLimitBytes = looser(old.memoryLimitBytes, limits.memoryLimitBytes);
    // The pod's group lets through what either allows, until its containers have theirs.
    await cgroups.limit(now, {
      ...limits,
      ...(cpuQuotaUs === undefined ? {} : { cpuQuotaUs }),
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    });
    await this.#checkUsage(now, plan, signal);
    for (const { container, status, restart } of plan) {
      if (restart) continue;
      const resources = containerResources(now, container, memoryCapacityBytes);
      await runtime.updateContainerResources(status.id, { memoryLimitBytes: -1, ...resources }, signal);
      this.#actual[status.id] = resourcesOf(container.resources);
    }
    if (plan.some((one) => !one.restart)) await this.#save(now);
    if (plan.every((one) => !one.restart)) await cgroups.limit(now, limits);
  }

  /** Memory that is in use cannot be taken away: the kernel would end the container. */
  async #checkUsage(pod: Pod, plan: readonly ContainerResize[], signal: AbortSignal): Promise<void> {
    const { runtime, memoryCapacityBytes } = this.#parts;
    const limited = plan.filter((one) => !one.restart && one.container.resources?.limits?.memory !== undefined);
    if (limited.length === 0) return;
    const usage = new Map((await runtime.containerStats(signal)).map((one) => [one.id, one.memoryUsageBytes]));
    for (const { container, status } of limited) {
      const limit = containerResources(pod, container, memoryCapacityBytes).memoryLimitBytes ?? 0;
      const used = usage.get(status.id) ?? 0;
      if (limit > 0 && used > limit)
        throw new Error(
          `cannot decrease memory limits: attempting to set container "${container.name}" memory limit (${limit}) below current usage (${used})`,
        );
    }
  }

  #failed(pod: Pod, error: string): void {
    if (this.#progress === undefined || this.#progress.error === error) return;
    this.#progress = { ...this.#progress, error };
    const message = resizeMessage("Pod resize error", pod, error);
    this.#parts.recorder.record(Pods, pod, { type: "Warning", reason: "ResizeError", message });
  }

  #complete(pod: Pod): void {
    this.#progress = undefined;
    const message = resizeMessage("Pod resize completed", pod);
    this.#parts.recorder.record(Pods, pod, { type: "Normal", reason: "ResizeCompleted", message });
  }

  async #save(pod: Pod): Promise<void> {
    const { folders, cache } = this.#parts;
    const { uid } = pod.metadata;
    if (this.#allocation === undefined) return;
    const alive = new Set(cache.view(uid).containers.map((one) => one.id));
    this.#actual = Object.fromEntries(Object.entries(this.#actual).filter(([id]) => alive.has(id)));
    await writeResizeRecord(folders, uid, { allocation: this.#allocation, actual: this.#actual });
  }
}

/** Limits with those said that there are none of: an earlier one then goes. */
const unlimited = (limits: CgroupLimits): CgroupLimits => ({ cpuQuotaUs: -1, memoryLimitBytes: -1, ...limits });
