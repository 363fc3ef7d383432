import { type Pod, type PodCondition, Pods } from "@skiff/api";
import { describeError, isAbort, jsonEqual, timestamp } from "@skiff/base";
import type { CgroupLimits } from "@skiff/host";
import type { ContainerStatus } from "@skiff/runtime";
import { containerResources } from "../cgroups/resources.ts";
import type { NodeParts } from "../pods/node-parts.ts";
import type { StopAction } from "../pods/plan.ts";
import { runtimeAnnotations } from "../pods/runtime-labels.ts";
import {
  type Allocation,
  desiredAllocation,
  type GivenResources,
  givenTo,
  parseResources,
  type Resources,
  resourcesOf,
  sameAllocation,
  withAllocation,
} from "./allocation.ts";
import { judgeResize, resizeMessage } from "./judge-resize.ts";
import { type ContainerResize, looserLimits, planResize } from "./plan-resize.ts";
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

/** What a container was made with, from its annotations. */
function madeWith(status: ContainerStatus): GivenResources | undefined {
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
  #actual: Record<string, GivenResources> = {};
  #actualPod: Resources | undefined;
  /** What a resize that is not done lets the pod's group have: as much as what was granted before and what is now. */
  #loose: CgroupLimits | undefined;
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
      const given = status === undefined ? undefined : madeWith(status);
      return [name, given === undefined ? resources : resourcesOf(given)] as const;
    });
    this.#allocation = record?.allocation ?? { ...desired, containers: Object.fromEntries(made) };
    this.#actualPod = record?.actualPod ?? this.#allocation.pod;
    const plan = planResize(this.granted(pod), view, (id) => this.#given(pod, id));
    if (plan.length > 0 || !jsonEqual(this.#actualPod, this.#allocation.pod))
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
  actual(status: ContainerStatus): GivenResources | undefined {
    return this.#actual[status.id] ?? madeWith(status);
  }

  /** What the pod as a whole was really given. */
  get actualPod(): Resources | undefined {
    return this.#actualPod;
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
    const before = this.#parts.cgroups.limits(this.granted(pod));
    const granted = this.#grant(pod);
    if (granted) {
      this.#loose = looserLimits(this.#loose ?? before, this.#parts.cgroups.limits(this.granted(pod)));
      await this.#save(pod);
    }
    const retry = this.isDeferred ? { recheckMs: deferredMs } : {};
    if (this.#progress === undefined) return { stop: [], ...retry };
    const now = this.granted(pod);
    const plan = planResize(now, this.#parts.cache.view(pod.metadata.uid), (id) => this.#given(pod, id));
    try {
      await this.#actuate(now, plan, signal);
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
    if (stop.length === 0 && starting.size === 0) await this.#complete(now);
    return { stop, ...retry };
  }

  #given(pod: Pod, id: string): GivenResources | undefined {
    const status = this.#parts.cache.view(pod.metadata.uid).containers.find((one) => one.id === id);
    return status === undefined ? undefined : this.actual(status);
  }

  /** Decides about what the object asks for anew; true where that was granted. */
  #grant(pod: Pod): boolean {
    const { recorder, clock, allocatable, pods } = this.#parts;
    const desired = desiredAllocation(pod);
    const generation = pod.metadata.generation ?? 0;
    if (this.#allocation === undefined) {
      this.#allocation = desired;
      this.#actualPod = desired.pod;
    }
    if (sameAllocation(desired, this.#allocation)) {
      this.#pending = undefined;
      return false;
    }
    const others = pods.counted().filter((one) => one.metadata.uid !== pod.metadata.uid);
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

  async #actuate(now: Pod, plan: readonly ContainerResize[], signal: AbortSignal): Promise<void> {
    const { runtime, cgroups, memoryCapacityBytes } = this.#parts;
    const limits = unlimited(cgroups.limits(now));
    const loose = this.#loose ?? limits;
    // The pod's group lets through what either allows, until its containers have theirs.
    await cgroups.limit(now, { ...limits, ...loose });
    const isLess = loose.memoryLimitBytes !== limits.memoryLimitBytes;
    await this.#checkUsage(now, plan, isLess ? limits.memoryLimitBytes : undefined, signal);
    for (const { container, status, restart } of plan) {
      if (restart) continue;
      const resources = containerResources(now, container, memoryCapacityBytes);
      await runtime.updateContainerResources(status.id, { memoryLimitBytes: -1, ...resources }, signal);
      this.#actual[status.id] = givenTo(container, now);
    }
    if (plan.some((one) => !one.restart)) await this.#save(now);
    if (plan.every((one) => !one.restart)) await cgroups.limit(now, limits);
  }

  /** Memory that is in use cannot be taken away: the kernel would end the container. `podLimit` is one that gets less. */
  async #checkUsage(
    pod: Pod,
    plan: readonly ContainerResize[],
    podLimit: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime, cache, memoryCapacityBytes } = this.#parts;
    const limited = plan.flatMap(({ container, status, restart }) => {
      const limit = containerResources(pod, container, memoryCapacityBytes).memoryLimitBytes ?? 0;
      return restart || limit <= 0 ? [] : [{ name: container.name, id: status.id, limit }];
    });
    if (limited.length === 0 && podLimit === undefined) return;
    const usage = new Map((await runtime.containerStats(signal)).map((one) => [one.id, one.memoryUsageBytes]));
    const inUse = cache.view(pod.metadata.uid).containers.reduce((sum, { id }) => sum + (usage.get(id) ?? 0), 0);
    const [refusal, ...more] = [
      ...(podLimit === undefined || podLimit <= 0 || inUse <= podLimit
        ? []
        : [`attempting to set pod memory limit (${podLimit}) below current usage (${inUse})`]),
      ...limited.flatMap(({ name, id, limit }) => {
        const used = usage.get(id) ?? 0;
        const text = `attempting to set container "${name}" memory limit (${limit}) below current usage (${used})`;
        return used > limit ? [text] : [];
      }),
    ];
    if (refusal === undefined) return;
    const text = more.length === 0 ? refusal : `[${[refusal, ...more].join(", ")}]`;
    throw new Error(`cannot decrease memory limits: ${text}`);
  }

  #failed(pod: Pod, error: string): void {
    if (this.#progress === undefined || this.#progress.error === error) return;
    this.#progress = { ...this.#progress, error };
    const message = resizeMessage("Pod resize error", pod, error);
    this.#parts.recorder.record(Pods, pod, { type: "Warning", reason: "ResizeError", message });
  }

  async #complete(pod: Pod): Promise<void> {
    this.#progress = undefined;
    this.#loose = undefined;
    this.#actualPod = this.#allocation?.pod;
    await this.#save(pod);
    const message = resizeMessage("Pod resize completed", pod);
    this.#parts.recorder.record(Pods, pod, { type: "Normal", reason: "ResizeCompleted", message });
  }

  async #save(pod: Pod): Promise<void> {
    const { folders, cache } = this.#parts;
    const { uid } = pod.metadata;
    if (this.#allocation === undefined) return;
    const alive = new Set(cache.view(uid).containers.map((one) => one.id));
    this.#actual = Object.fromEntries(Object.entries(this.#actual).filter(([id]) => alive.has(id)));
    await writeResizeRecord(folders, uid, {
      allocation: this.#allocation,
      actual: this.#actual,
      ...(this.#actualPod === undefined ? {} : { actualPod: this.#actualPod }),
    });
  }
}

/** Limits with those said that there are none of: an earlier one then goes. */
const unlimited = (limits: CgroupLimits): CgroupLimits => ({ cpuQuotaUs: -1, memoryLimitBytes: -1, ...limits });
