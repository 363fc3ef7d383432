import { type Container, type Pod, ruledAction } from "@skiff/api";
import type { ContainerStatus, SandboxStatus } from "@skiff/runtime";
import { isInitContainer, isSidecar, policyOf, restartsAfter } from "./restart-policy.ts";
import type { PodView } from "./runtime-cache.ts";
import { runtimeAnnotations } from "./runtime-labels.ts";

export type ProbeVerdict = "success" | "failure" | "unknown";

/** Everything a decision about a pod that shall run depends on. */
export interface PlanInput {
  readonly pod: Pod;
  readonly view: PodView;
  /** Names of containers that are being started right now. */
  readonly starting: ReadonlySet<string>;
  /** Ids of containers that are being stopped right now. */
  readonly stopping: ReadonlySet<string>;
  /** Ids of containers that were stopped to be started anew, whatever they say as they end. */
  readonly restarting: ReadonlySet<string>;
  /** A sandbox is being made or taken down right now. */
  readonly sandboxBusy: boolean;
  /** Milliseconds until a container may be started again, after its last end. */
  readonly backoffMs: (container: Container, last: ContainerStatus | undefined) => number;
  readonly liveness: (container: string) => ProbeVerdict;
  readonly startup: (container: string) => ProbeVerdict;
}

export interface StopAction {
  readonly container: ContainerStatus;
  /** Text of the `Killing` event. */
  readonly message: string;
  /** At once: neither hook nor stop signal. */
  readonly abrupt?: boolean;
  /** Another takes its place, since the pod says something else now. */
  readonly replaced?: boolean;
}

export interface BackoffAction {
  readonly container: Container;
  readonly remainingMs: number;
}

/** What to do next for a pod. Actions are independent of one another. */
export interface PodPlan {
  /** A new sandbox with this attempt; `undefined`: none is needed. */
  readonly createSandbox: number | undefined;
  /** Sandboxes whose time is over, with what still runs in them. */
  readonly stopSandboxes: readonly SandboxStatus[];
  readonly start: readonly Container[];
  readonly backoff: readonly BackoffAction[];
  readonly stop: readonly StopAction[];
  /** A container's rule restarts the whole pod, and all have ended: they are removed, and everything starts anew. */
  readonly removeAll: boolean;
  /** Every container has ended for good. */
  readonly finished: boolean;
}

const nothing: PodPlan = {
  createSandbox: undefined,
  stopSandboxes: [],
  start: [],
  backoff: [],
  stop: [],
  removeAll: false,
  finished: false,
};

/** The newest container of a name, or none. */
export const newest = (view: PodView, name: string): ContainerStatus | undefined =>
  view.containers.find((one) => one.name === name);

const isRunning = (status: ContainerStatus | undefined): boolean => status?.state === "running";

/** A container that ended or that the runtime lost. Created but never started counts too: it is replaced. */
const hasEnded = (status: ContainerStatus): boolean => status.state !== "running";

const wantsStart = (
  { pod, restarting }: Pick<PlanInput, "pod" | "restarting">,
  container: Container,
  last: ContainerStatus | undefined,
): boolean => {
  if (last === undefined) return true;
  if (!hasEnded(last)) return false;
  if (restarting.has(last.id)) return true;
  // Another image was written into the spec: what it made end is started with that, whatever the policy.
  const image = last.annotations[runtimeAnnotations.imageReference];
  if (image !== undefined && image !== (container.image ?? "") && !isInitContainer(pod, container)) return true;
  return last.state === "exited" ? restartsAfter(pod, container, last.exitCode) : true;
};

/** Decides what a pod that shall run needs next. Pure: the same input gives the same plan. */
export function planPod(input: PlanInput): PodPlan {
  const { view } = input;
  const ready = view.sandboxes.find((one) => one.state === "ready");
  if (ready === undefined) return planSandbox(input);
  const old = view.sandboxes.filter((one) => one.id !== ready.id);
  // What a rule ends to start it anew has not ended for good, whatever its own policy.
  const finished = !restartsAll(input.pod, view) && isFinished(input, ready.id);
  if (finished) return { ...nothing, finished, stopSandboxes: input.sandboxBusy ? [] : view.sandboxes };
  return { ...planContainers(input, ready.id), stopSandboxes: input.sandboxBusy ? [] : old };
}

function planSandbox(input: PlanInput): PodPlan {
  const { pod, view } = input;
  const first = view.sandboxes[0];
  if (isFinished(input, undefined)) return { ...nothing, finished: true };
  if (input.sandboxBusy) return nothing;
  // A pod that never restarts does not come back after its sandbox is gone, once anything of it has run.
  const attempt = first === undefined ? nextAttempt(view) : first.metadata.attempt + 1;
  const startable = pod.spec.containers.some((container) => wantsStart(input, container, newest(view, container.name)));
  if (!startable) return { ...nothing, finished: true, stopSandboxes: view.sandboxes };
  return { ...nothing, createSandbox: attempt, stopSandboxes: view.sandboxes };
}

const nextAttempt = (view: PodView): number => (view.containers.length === 0 ? 0 : 1);

/** Whether nothing of the pod will ever run again: all ended and none restarts, or an init container failed for good. */
function isFinished(input: PlanInput, sandboxId: string | undefined): boolean {
  const { pod, view } = input;
  for (const container of pod.spec.initContainers ?? []) {
    const last = newest(view, container.name);
    if (last === undefined || isSidecar(container)) continue;
    const failed = last.state === "exited" && last.exitCode !== 0 && !restartsAfter(pod, container, last.exitCode);
    if (failed && (sandboxId === undefined || last.sandboxId === sandboxId)) return true;
  }
  return pod.spec.containers.every((container) => {
    const last = newest(view, container.name);
    return last?.state === "exited" && !wantsStart(input, container, last);
  });
}

/** Whether a container has ended in such a way that its rule restarts all containers. */
export const restartsAll = (pod: Pod, view: PodView): boolean =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((container) => {
    const last = newest(view, container.name);
    return last?.state === "exited" && ruledAction(container, last.exitCode) === "RestartAllContainers";
  });

/**
 * What a rule asks for that restarts all containers; `undefined` where none does. It is to be quick: what is restarted in
 * its place gets no time to end.
 */
function planRestartOfAll(input: PlanInput): PodPlan | undefined {
  const { pod, view, stopping, starting } = input;
  if (!restartsAll(pod, view)) return undefined;
  const running = view.containers.filter((one) => one.state === "running");
  const stop = running
    .filter((one) => !stopping.has(one.id))
    .map((container) => ({ container, message: `Stopping container ${container.name}`, abrupt: true }));
  return { ...nothing, stop, removeAll: running.length + stopping.size + starting.size === 0 };
}

function planContainers(input: PlanInput, sandboxId: string): PodPlan {
  const anew = planRestartOfAll(input);
  if (anew !== undefined) return anew;
  const start: Container[] = [];
  const backoff: BackoffAction[] = [];
  const stop: StopAction[] = [];
  const want = (container: Container, last: ContainerStatus | undefined) => {
    if (input.starting.has(container.name)) return;
    const remainingMs = input.backoffMs(container, last);
    if (remainingMs > 0) backoff.push({ container, remainingMs });
    else start.push(container);
  };
  // Started once, for somebody who debugs, however far the pod has come; never again.
  for (const container of input.pod.spec.ephemeralContainers ?? [])
    if (newest(input.view, container.name) === undefined) want(container, undefined);
  // What still runs in an older sandbox has lost its network: it goes with that sandbox.
  const initialized = planInit(input, sandboxId, want, stop);
  if (initialized) {
    for (const container of input.pod.spec.containers) {
      const last = newest(input.view, container.name);
      if (last !== undefined && isRunning(last) && last.sandboxId === sandboxId) {
        const reason = reasonToStop(input, container, last);
        if (reason !== undefined && !input.stopping.has(last.id)) stop.push({ container: last, ...reason });
      } else if (wantsStart(input, container, last)) want(container, last);
    }
  }
  return { ...nothing, start, backoff, stop };
}

/** Plans init containers; true once the pod's own containers may start. */
function planInit(
  input: PlanInput,
  sandboxId: string,
  want: (container: Container, last: ContainerStatus | undefined) => void,
  stop: StopAction[],
): boolean {
  const { pod, view } = input;
  const here = { ...view, containers: view.containers.filter((one) => one.sandboxId === sandboxId) };
  const started = pod.spec.containers.some((container) => newest(here, container.name) !== undefined);
  for (const container of pod.spec.initContainers ?? []) {
    const last = newest(here, container.name);
    const everywhere = newest(view, container.name);
    if (isSidecar(container)) {
      if (last !== undefined && isRunning(last)) {
        const reason = reasonToStop(input, container, last);
        if (reason !== undefined && !input.stopping.has(last.id)) stop.push({ container: last, ...reason });
        if (!started && (input.startup(container.name) !== "success" || input.starting.has(container.name)))
          return false;
      } else {
        want(container, everywhere);
        if (!started) return false;
      }
      continue;
    }
    if (started) continue;
    if (last?.state === "exited" && last.exitCode === 0) continue;
    if (last !== undefined && isRunning(last)) return false;
    want(container, everywhere);
    return false;
  }
  return true;
}

function reasonToStop(
  input: PlanInput,
  container: Container,
  status: ContainerStatus,
): Pick<StopAction, "message" | "replaced"> | undefined {
  const { pod } = input;
  const image = status.annotations[runtimeAnnotations.imageReference];
  if (image !== undefined && image !== (container.image ?? ""))
    return { message: `Container ${container.name} definition changed, will be restarted`, replaced: true };
  const restarts = policyOf(pod, container) !== "Never" ? ", will be restarted" : "";
  const kind = isInitContainer(pod, container) ? "Init container" : "Container";
  if (input.startup(container.name) === "failure")
    return { message: `${kind} ${container.name} failed startup probe${restarts}` };
  if (input.liveness(container.name) === "failure")
    return { message: `${kind} ${container.name} failed liveness probe${restarts}` };
  return undefined;
}
