import type { ContainerStatus, Pod, PodCondition } from "@skiff/api";
import { isSidecar } from "./restart-policy.ts";

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: string;
  readonly init: readonly ContainerStatus[];
  readonly app: readonly ContainerStatus[];
  /** The sandbox runs and has its network. */
  readonly sandboxReady: boolean;
  /** Conditions that tell of a resize; absent ones go. */
  readonly resize: readonly PodCondition[];
  /** Why the node ends the pod without its fault. */
  readonly disruption?: string;
  /** A container's end makes all of them start anew, and not all of the old ones are gone. */
  readonly restartingAll: boolean;
  /** RFC 3339, for conditions that change now. */
  readonly now: string;
}

/** The conditions that the kubelet owns; all others (of readiness gates, of controllers) are kept as they are. */
export const ownedConditions: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
  "PodResizePending",
  "PodResizeInProgress",
  "AllContainersRestarting",
]);

/** All conditions of a pod, transition times kept where the status did not change. */
export function podConditions(input: ConditionInput): PodCondition[] {
  const { pod, now } = input;
  const before = pod.status?.conditions ?? [];
  const containersReady = containersReadyVerdict(input);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", { status: input.sandboxReady ? "True" : "False" }],
    ["Initialized", initializedVerdict(input)],
    ["Ready", readyVerdict(pod, containersReady)],
    ["ContainersReady", containersReady],
    ["PodScheduled", { status: "True" }],
    ...restartingVerdict(input),
  ];
  const own = verdicts.map(([type, verdict]): PodCondition => {
    const old = before.find((one) => one.type === type);
    return {
      type,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      ...verdict,
      lastTransitionTime: old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now,
    };
  });
  const disruption = input.disruption === undefined ? [] : [disruptionCondition(input, input.disruption)];
  const foreign = before.filter(
    (one) => !ownedConditions.has(one.type) && !disruption.some(({ type }) => type === one.type),
  );
  return [...disruption, ...input.resize, ...own, ...foreign];
}

/** What the kubelet writes: its own conditions, and that it had to end the pod. */
export const isWritten = ({ type, reason }: PodCondition): boolean =>
  ownedConditions.has(type) || (type === "DisruptionTarget" && reason === "TerminationByKubelet");

function disruptionCondition({ pod, now }: ConditionInput, message: string): PodCondition {
  const old = pod.status?.conditions?.find((one) => one.type === "DisruptionTarget" && one.status === "True");
  return {
    type: "DisruptionTarget",
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    status: "True",
    reason: "TerminationByKubelet",
    message,
    lastTransitionTime: old?.lastTransitionTime ?? now,
  };
}

const list = (names: readonly string[]) => `[${names.join(" ")}]`;

/** Why containers are not as they should be, in one message; empty when all are. */
function unwell(
  what: "unready" | "incomplete",
  names: readonly string[],
  statuses: readonly ContainerStatus[],
  good: (status: ContainerStatus) => boolean,
): string {
  const unknown = names.filter((name) => !statuses.some((one) => one.name === name));
  const bad = names.filter((name) => statuses.some((one) => one.name === name && !good(one)));
  return [
    ...(unknown.length === 0 ? [] : [`containers with unknown status: ${list(unknown)}`]),
    ...(bad.length === 0 ? [] : [`containers with ${what} status: ${list(bad)}`]),
  ].join(", ");
}

function containersReadyVerdict({ pod, phase, app, init }: ConditionInput): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const names = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers].map((one) => one.name);
  const message = unwell("unready", names, [...init, ...app], (one) => one.ready);
  return message === "" ? { status: "True" } : { status: "False", reason: "ContainersNotReady", message };
}

function readyVerdict(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((one) => one.type === conditionType);
    if (condition === undefined)
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (condition.status !== "True")
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`);
  }
  if (messages.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function initializedVerdict({ pod, phase, init, app }: ConditionInput): Verdict {
  const containers = pod.spec.initContainers ?? [];
  if (containers.length === 0) return phase === "Succeeded" ? completed : { status: "True" };
  if (phase === "Succeeded") return completed;
  // Once an app container has run, the pod has been initialized, whatever a sidecar does since.
  if (app.some((one) => one.state?.running ?? one.state?.terminated ?? one.lastState?.terminated))
    return { status: "True" };
  const sidecarNames = new Set(containers.filter(isSidecar).map((one) => one.name));
  const message = unwell(
    "incomplete",
    containers.map((one) => one.name),
    init,
    (one) => (sidecarNames.has(one.name) ? one.started === true : one.ready),
  );
  return message === "" ? { status: "True" } : { status: "False", reason: "ContainersNotInitialized", message };
}

/** Told of pods only that have a rule which restarts all containers. */
function restartingVerdict({ pod, phase, restartingAll }: ConditionInput): readonly (readonly [string, Verdict])[] {
  const type = "AllContainersRestarting";
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const could = containers.some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === "RestartAllContainers"),
  );
  if (!could) return [];
  if (phase === "Succeeded") return [[type, { status: "False", reason: "PodCompleted" }]];
  if (phase === "Failed") return [[type, { status: "False", reason: "PodFailed" }]];
  if (!restartingAll) return [[type, { status: "False" }]];
  const message = "container exited with restart policy rule";
  return [[type, { status: "True", reason: "RestartAllContainersStarted", message }]];
}

const completed: Verdict = { status: "True", reason: "PodCompleted" };
