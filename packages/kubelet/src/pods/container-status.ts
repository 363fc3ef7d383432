import type { Container, ContainerState, ContainerStatus, Pod, ResourceStatus } from "@skiff/api";
import { timestamp } from "@skiff/base";
import type { ContainerStatus as RuntimeContainer } from "@skiff/runtime";
import type { Resources } from "../resize/allocation.ts";
import { isSidecar, restartsAfter } from "./restart-policy.ts";
import type { PodView } from "./runtime-cache.ts";
import { restartCountOf } from "./runtime-labels.ts";

/** Why a container is not running although it should be. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

/** What the status of a pod's containers is made of. */
export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly view: PodView;
  /** Failures to start, by container name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Termination messages by container id. */
  readonly messages: ReadonlyMap<string, string>;
  /** As in `containerd`: the scheme of container ids. */
  readonly runtimeName: string;
  /** Whether a running container passed its startup probe and its postStart hook. */
  readonly started: (name: string) => boolean;
  readonly ready: (name: string) => boolean;
  /** The pod is being ended: nothing is going to be restarted. */
  readonly terminating: boolean;
  /** Resources that a running container was really given, where they are known. */
  readonly actual: (status: RuntimeContainer) => Resources | undefined;
  /** How the devices are that a container has. */
  readonly deviceHealth: (container: Container) => readonly ResourceStatus[];
}

/** The statuses of one list of containers, in the order of the spec. */
export function containerStatuses(
  containers: readonly Container[],
  input: ContainerStatusInput,
  kind: "init" | "app",
): ContainerStatus[] {
  return containers.map((container) => containerStatus(container, input, kind));
}

function containerStatus(container: Container, input: ContainerStatusInput, kind: "init" | "app"): ContainerStatus {
  const { pod, view } = input;
  const [last, previous] = view.containers.filter((one) => one.name === container.name);
  const old = knownStatus(pod, container.name, kind);
  const base = {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ...resourcesOf(container, last?.state === "running" ? input.actual(last) : undefined),
    ...volumeMountsOf(container),
    ...(kind === "app" ? devicesOf(input, container, old) : {}),
  };
  // What the API knows of a container that has ended is all that is left of it.
  if (last === undefined && old?.state?.terminated !== undefined) {
    const begun =
      kind === "init" && pod.spec.containers.some((one) => view.containers.some((it) => it.name === one.name));
    if (input.terminating || (begun && old.state.terminated.exitCode === 0)) return old;
  }
  if (last === undefined) {
    // Nothing in the runtime: never started, or (after a loss) what the API knew of it.
    const reason = (pod.spec.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating";
    const waiting = input.waiting.get(container.name) ?? { reason };
    const ended = input.terminating ? lostState(old) : undefined;
    // What ran and is gone is going to be started anew: that counts as its end.
    const lost = ended === undefined && old?.containerID !== undefined;
    return {
      ...base,
      state: ended ?? { waiting: withoutEmpty(waiting) },
      lastState: (lost ? endOfLost(old) : undefined) ?? old?.lastState ?? {},
      ready: false,
      restartCount: (old?.restartCount ?? 0) + (lost ? 1 : 0),
      started: false,
    };
  }
  let state = stateOf(last, input);
  let lastState = previous === undefined ? (keptLastState(old, last) ?? {}) : stateOf(previous, input);
  const waiting = input.waiting.get(container.name);
  const restarts = last.state !== "exited" || restartsAfter(pod, container, last.exitCode);
  if (waiting !== undefined && last.state !== "running" && restarts && !input.terminating) {
    if (state.terminated !== undefined) lastState = state;
    state = { waiting: withoutEmpty(waiting) };
  }
  const running = last.state === "running";
  const started = running && input.started(container.name);
  const succeeded = last.state === "exited" && last.exitCode === 0;
  return {
    ...base,
    image: last.userImage === "" ? base.image : last.userImage,
    imageID: last.imageRef === "" ? last.imageId : last.imageRef,
    containerID: idText(last, input),
    state,
    lastState,
    ready: kind === "init" && !isSidecar(container) ? succeeded : started && input.ready(container.name),
    restartCount: restartCountOf(last),
    started: kind === "init" && !isSidecar(container) ? false : started,
  };
}

const withoutEmpty = ({ reason, message }: { reason: string; message?: string }) =>
  message === undefined || message === "" ? { reason } : { reason, message };

function knownStatus(pod: Pod, name: string, kind: "init" | "app"): ContainerStatus | undefined {
  const list = kind === "init" ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
  return list?.find((one) => one.name === name);
}

/** The previous end as the API has it, where the runtime has forgotten the container it belonged to. */
function keptLastState(old: ContainerStatus | undefined, last: RuntimeContainer): ContainerState | undefined {
  if (old === undefined || restartCountOf(last) === 0) return undefined;
  const ended = old.state?.terminated;
  const own = ended?.containerID?.endsWith(last.id) ?? false;
  return ended !== undefined && !own ? { terminated: ended } : old.lastState;
}

/** A container that the API has running and the runtime has lost. */
function lostState(old: ContainerStatus | undefined): ContainerState | undefined {
  if (old?.state?.running === undefined) return undefined;
  return { terminated: unknownEnd };
}

/** The end of a container that the runtime has lost while its pod lives on. */
function endOfLost(old: ContainerStatus): ContainerState | undefined {
  if (old.state?.terminated !== undefined) return { terminated: old.state.terminated };
  if (old.state?.running === undefined) return undefined;
  const message = "The container could not be located when the pod was deleted.  The container used to be Running";
  return { terminated: { ...unknownEnd, message } };
}

/** The end of a container that nobody saw end. */
export const unknownEnd = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
} as const;

const idText = (status: RuntimeContainer, input: ContainerStatusInput): string => `${input.runtimeName}://${status.id}`;

const times = (status: RuntimeContainer) => ({
  // One that never ran is told to have started at the beginning of time, as in Kubernetes.
  startedAt: timestamp(status.startedAtMs),
  ...(status.finishedAtMs > 0 ? { finishedAt: timestamp(status.finishedAtMs) } : {}),
});

function stateOf(status: RuntimeContainer, input: ContainerStatusInput): ContainerState {
  switch (status.state) {
    case "running":
      return { running: { startedAt: timestamp(status.startedAtMs) } };
    case "created":
      return { waiting: { reason: "ContainerCreating" } };
    case "exited": {
      const message = input.messages.get(status.id) || status.message;
      return {
        terminated: {
          exitCode: status.exitCode,
          reason: status.reason === "" ? (status.exitCode === 0 ? "Completed" : "Error") : status.reason,
          ...(message === "" ? {} : { message }),
          ...times(status),
          containerID: idText(status, input),
        },
      };
    }
    case "unknown":
      return {
        terminated: {
          ...unknownEnd,
          containerID: idText(status, input),
        },
      };
  }
}

function resourcesOf(
  container: Container,
  actual: Resources | undefined,
): Pick<ContainerStatus, "resources" | "allocatedResources"> {
  const granted = container.resources?.requests;
  const { requests, limits } = actual ?? container.resources ?? {};
  return {
    ...(granted === undefined ? {} : { allocatedResources: granted }),
    resources: {
      ...(limits === undefined ? {} : { limits }),
      ...(requests === undefined ? {} : { requests }),
    },
  };
}

/** How its devices are; once it has ended and they are others', as they were. */
function devicesOf(
  { deviceHealth, terminating }: ContainerStatusInput,
  container: Container,
  old: ContainerStatus | undefined,
): Pick<ContainerStatus, "allocatedResourcesStatus"> {
  const now = deviceHealth(container);
  const told = now.length > 0 || !terminating ? now : (old?.allocatedResourcesStatus ?? []);
  return told.length === 0 ? {} : { allocatedResourcesStatus: [...told] };
}

function volumeMountsOf(container: Container): Pick<ContainerStatus, "volumeMounts"> {
  if (container.volumeMounts === undefined || container.volumeMounts.length === 0) return {};
  return {
    volumeMounts: container.volumeMounts.map((mount) => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly === true
        ? { readOnly: true, recursiveReadOnly: mount.recursiveReadOnly === "Enabled" ? "Enabled" : "Disabled" }
        : {}),
    })),
  };
}
