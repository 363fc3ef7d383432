import {
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
  podLimits,
  podRequests,
  type ResourceAmounts,
} from "@skiff/api";
import { timestamp } from "@skiff/base";
import { podCgroupLimits } from "../cgroups/resources.ts";
import type { Resources } from "../resize/allocation.ts";
import { podConditions } from "./conditions.ts";
import { type ContainerStatusInput, containerStatuses, unknownEnd } from "./container-status.ts";
import { podPhase } from "./phase.ts";
import { restartsAll } from "./plan.ts";
import { qosClass } from "./qos.ts";

/** Why the kubelet itself ended a pod, as in `DeadlineExceeded` or `Evicted`. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  /** The node never took the pod: nothing is to be said of its containers. */
  readonly rejected?: boolean;
  /** Message of the condition DisruptionTarget, which says that the pod is not to blame: the node was in need. */
  readonly disruption?: string;
}

export interface PodStatusInput extends ContainerStatusInput {
  readonly nowMs: number;
  readonly hostAddresses: readonly string[];
  readonly failure: PodFailure | undefined;
  /** Nothing of the pod runs any more, and nothing will. */
  readonly terminal: boolean;
  readonly resize: readonly PodCondition[];
  /** Resources that the pod as a whole was really given. */
  readonly actualPod: Resources | undefined;
}

const isTerminal = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";

/** The status to be reported for a pod, all of it. Pure. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, nowMs } = input;
  const now = timestamp(nowMs);
  const old = pod.status;
  if (input.failure?.rejected === true) return rejectedStatus(pod, input.failure, now);
  const { init, app } = settled(input, {
    init: containerStatuses(pod.spec.initContainers ?? [], input, "init"),
    app: containerStatuses(pod.spec.containers, input, "app"),
  });
  const ephemeral = containerStatuses(pod.spec.ephemeralContainers ?? [], input, "app").map(
    ({ started: _, ...rest }) => ({ ...rest, ready: false }),
  );
  let phase: string = podPhase(pod, init, app, { terminal: input.terminal });
  if (input.failure !== undefined && (input.terminal || !pod.spec.containers.length)) phase = "Failed";
  // A pod that has ended never comes back.
  if (isTerminal(old?.phase)) phase = old?.phase ?? phase;
  // What is left of an ended pod's sandbox is about to go.
  const ready = input.terminal ? undefined : input.view.sandboxes.find((one) => one.state === "ready");
  const hostNetwork = pod.spec.hostNetwork === true;
  const ips = ready === undefined ? [] : hostNetwork ? input.hostAddresses : ready.ips;
  const podIps = ips.length > 0 ? ips : keptIps(pod, phase, ready !== undefined);
  const failure =
    input.failure ?? (old?.reason === undefined ? undefined : { reason: old.reason, message: old.message ?? "" });
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    // Not before nothing of it runs any more: others take what an ended pod had.
    phase: isTerminal(phase) && !input.terminal && !isTerminal(old?.phase) ? (old?.phase ?? "Pending") : phase,
    conditions: podConditions({
      pod,
      phase,
      init,
      app,
      sandboxReady: ready !== undefined && (hostNetwork || ready.ips.length > 0),
      ...(input.failure?.disruption === undefined ? {} : { disruption: input.failure.disruption }),
      resize: isTerminal(phase) ? [] : input.resize,
      restartingAll: !input.terminating && restartsAll(pod, input.view),
      now,
    }),
    ...(failure === undefined || !isTerminal(phase) ? {} : { reason: failure.reason, message: failure.message }),
    ...(input.hostAddresses[0] === undefined
      ? {}
      : { hostIP: input.hostAddresses[0], hostIPs: input.hostAddresses.map((ip) => ({ ip })) }),
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map((ip) => ({ ip })) }),
    startTime: old?.startTime ?? now,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: app,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClass(pod),
    ...wholePodResources(pod, phase, input.actualPod),
    ...(old?.nominatedNodeName === undefined ? {} : { nominatedNodeName: old.nominatedNodeName }),
    ...claimsOf(old),
  };
}

const rejectedStatus = (pod: Pod, { reason, message }: PodFailure, now: string): PodStatus => ({
  ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  phase: "Failed",
  reason,
  message,
  ...(pod.status?.conditions === undefined ? {} : { conditions: pod.status.conditions }),
  startTime: pod.status?.startTime ?? now,
  qosClass: qosClass(pod),
  ...claimsOf(pod.status),
});

/** What the status tells of claims: others write that, and a node must not take it away. */
const claimsOf = ({ resourceClaimStatuses, extendedResourceClaimStatus }: Partial<PodStatus> = {}) => ({
  ...(resourceClaimStatuses === undefined ? {} : { resourceClaimStatuses }),
  ...(extendedResourceClaimStatus === undefined ? {} : { extendedResourceClaimStatus }),
});

interface Statuses {
  readonly init: ContainerStatus[];
  readonly app: ContainerStatus[];
}

/**
 * Once nothing of a pod runs any more, each container that should have run has ended, one way or another: nobody can say
 * that those succeeded of which nothing is known. What a pod never came to is left waiting.
 */
function settled({ terminal, terminating, view }: PodStatusInput, { init, app }: Statuses): Statuses {
  if (!terminal || !terminating || view.sandboxes.length + view.containers.length === 0) return { init, app };
  const end = (status: ContainerStatus): ContainerStatus =>
    status.state?.terminated === undefined
      ? { ...status, state: { terminated: unknownEnd }, ready: false, started: false }
      : status;
  const lastBegun = init.findLastIndex(hasBegun);
  const initialized = init.length === 0 || app.some(hasBegun) || init.at(-1)?.state?.terminated?.exitCode === 0;
  return {
    init: init.map((status, index) => (index <= lastBegun ? end(status) : status)),
    app: initialized ? app.map(end) : app,
  };
}

const hasBegun = ({ state, lastState }: ContainerStatus): boolean =>
  (state?.running ?? state?.terminated ?? lastState?.terminated) !== undefined;

/** Ended pods keep the addresses they had. */
const keptIps = (pod: Pod, phase: string, sandbox: boolean): readonly string[] =>
  sandbox || phase === "Pending" ? [] : (pod.status?.podIPs ?? []).map((one) => one.ip);

/** What the node has granted the pod in all, and what it has: of a running pod, that which its control group has of it. */
function wholePodResources(
  pod: Pod,
  phase: string,
  actual: Resources | undefined,
): Pick<PodStatus, "resources" | "allocatedResources"> {
  const granted = podRequests(pod);
  const has = actual === undefined ? pod : { ...pod, spec: { ...pod.spec, resources: actual } };
  let [requests, limits] = [podRequests(has), podLimits(has)];
  if (phase === "Running") {
    const { cpuQuotaUs, memoryLimitBytes } = podCgroupLimits(has);
    const bounds = [
      ...(cpuQuotaUs === undefined ? [] : ["cpu"]),
      ...(memoryLimitBytes === undefined ? [] : ["memory"]),
    ];
    requests = { ...has.spec.resources?.requests, ...only(requests, ["cpu", "memory"]) };
    limits = { ...has.spec.resources?.limits, ...only(limits, bounds) };
  }
  return {
    ...(isEmpty(granted) ? {} : { allocatedResources: granted }),
    resources: { ...(isEmpty(requests) ? {} : { requests }), ...(isEmpty(limits) ? {} : { limits }) },
  };
}

const isEmpty = (amounts: ResourceAmounts): boolean => Object.keys(amounts).length === 0;

const only = (amounts: ResourceAmounts, names: readonly string[]): ResourceAmounts =>
  Object.fromEntries(Object.entries(amounts).filter(([name]) => names.includes(name)));
