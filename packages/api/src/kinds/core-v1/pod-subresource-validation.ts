/** What may change through `pods/ephemeralcontainers`, `pods/resize` and `pods/status`, and only there. */
import { deepCopy, jsonEqual } from "@skiff/base";
import { type FieldError, fieldError } from "../../field-error.ts";
import type { Binding, Container, ContainerStatus, Pod, ResourceRequirements } from "../../generated/types/core-v1.ts";
import { compareQuantities } from "../../quantity.ts";
import {
  checkDnsSubdomain,
  checkImmutable,
  checkIP,
  checkQualifiedName,
  type Findings,
} from "../../validation/checks.ts";
import { isSidecar } from "../pod-state.ts";
import { qosClass } from "../quality-of-service.ts";
import { specDifference } from "../spec-difference.ts";
import { checkPodBinding, mirrorAnnotation } from "./pod-validation.ts";

/** Findings in a change through `pods/ephemeralcontainers`, beside those of the pod as it then is. */
export const validateEphemeralContainersUpdate = (pod: Pod, old: Pod): readonly FieldError[] => [
  ...checkEphemeralContainersUpdate(pod, old),
];

function* checkEphemeralContainersUpdate(pod: Pod, old: Pod): Findings {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return yield fieldError.forbidden("", "static pods do not support ephemeral containers");
  }
  const field = "spec.ephemeralContainers";
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = pod.spec.ephemeralContainers?.find(({ name }) => name === before.name);
    const which = `existing ephemeral containers ${JSON.stringify(before.name)}`;
    if (now === undefined) yield fieldError.forbidden(field, `${which} may not be removed\n`);
    else if (!jsonEqual(before, now)) {
      const difference = specDifference("core.EphemeralContainer", before, now);
      yield fieldError.forbidden(field, `${which} may not be changed\n${difference}`);
    }
  }
}

/** Makes of a pod that came through `pods/ephemeralcontainers` the old pod with the new ephemeral containers. */
export function prepareEphemeralContainersUpdate(pod: Pod, old: Pod): void {
  pod.spec = { ...deepCopy(old.spec), ephemeralContainers: pod.spec.ephemeralContainers };
  pod.status = deepCopy(old.status);
}

/** Makes of a pod that came through `pods/resize` the old pod with the new resources of its containers. */
export function prepareResize(pod: Pod, old: Pod): void {
  const resized = (containers: readonly Container[] | undefined, before: readonly Container[] | undefined) =>
    (before ?? []).map((container) => {
      const now = containers?.find(({ name }) => name === container.name);
      return { ...deepCopy(container), ...(now && { resources: now.resources, resizePolicy: now.resizePolicy }) };
    });
  pod.spec = {
    ...deepCopy(old.spec),
    containers: resized(pod.spec.containers, old.spec.containers),
    ...(old.spec.initContainers && { initContainers: resized(pod.spec.initContainers, old.spec.initContainers) }),
  };
  pod.status = deepCopy(old.status);
}

/** Findings in a change through `pods/resize`, beside those of the pod as it then is. */
export const validateResize = (pod: Pod, old: Pod): readonly FieldError[] => [...checkResize(pod, old)];

function* checkResize(pod: Pod, old: Pod): Findings {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return yield fieldError.forbidden("", "static pods cannot be resized");
  }
  if (old.spec.os?.name === "windows") return yield fieldError.forbidden("", "windows pods cannot be resized");
  if ((old.status.qosClass ?? qosClass(old)) !== qosClass(pod)) {
    const message = "Pod QOS Class may not change as a result of resizing";
    yield fieldError.invalid("spec", old.status.qosClass ?? qosClass(old), message);
  }
  const running = old.status.containerStatuses?.find(({ state }) => state?.running !== undefined);
  if (running !== undefined && running.resources === undefined) {
    yield fieldError.forbidden("spec", "Pod running on node without support for resize");
  }
  for (const [index, before] of (old.spec.initContainers ?? []).entries()) {
    const now = pod.spec.initContainers?.[index];
    if (now === undefined) continue;
    if (isSidecar(before)) yield* checkContainerResize(`spec.initContainers[${index}].resources`, now, before);
    else if (!jsonEqual(now, before)) {
      yield fieldError.forbidden("spec", "resources for non-sidecar init containers are immutable");
    }
  }
  for (const [index, before] of old.spec.containers.entries()) {
    const now = pod.spec.containers[index];
    if (now !== undefined) yield* checkContainerResize(`spec.containers[${index}].resources`, now, before);
  }
}

const resizable = new Set(["cpu", "memory"]);

function* checkContainerResize(field: string, now: Container, before: Container): Findings {
  for (const kind of ["requests", "limits"] as const) {
    const amounts = now.resources?.[kind] ?? {};
    const oldAmounts = before.resources?.[kind] ?? {};
    if (Object.keys(oldAmounts).some((name) => amounts[name] === undefined)) {
      yield fieldError.forbidden(`${field}.${kind}`, `resource ${kind} cannot be removed`);
    }
  }
  if (!jsonEqual(fixedResources(now.resources), fixedResources(before.resources))) {
    const which = isSidecar(before) ? "resources for sidecar containers" : "resources";
    yield fieldError.forbidden("spec", `only cpu and memory ${which} are mutable`);
  }
}

const fixedResources = (resources: ResourceRequirements | undefined) =>
  (["requests", "limits"] as const).map((kind) =>
    Object.fromEntries(Object.entries(resources?.[kind] ?? {}).filter(([name]) => !resizable.has(name))),
  );

/** True when a resize asks for other amounts than there were. */
export const resizes = (now: ResourceRequirements | undefined, before: ResourceRequirements | undefined): boolean =>
  (["requests", "limits"] as const).some((kind) =>
    [...resizable].some((name) => compareQuantities(now?.[kind]?.[name] ?? "0", before?.[kind]?.[name] ?? "0") !== 0),
  );

/** Findings in what is posted to `pods/binding`. */
export const validatePodBinding = (binding: Binding): readonly FieldError[] => [...checkPodBinding(binding)];

const ownConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

/** A change through `pods/status`. */
export function* checkPodStatusUpdate(pod: Pod, old: Pod): Findings {
  const { status, spec } = pod;
  for (const [index, { type }] of (status.conditions ?? []).entries()) {
    if (!ownConditions.has(type)) yield* checkQualifiedName(`metadata.conditions[${index}].Type`, type ?? "");
  }
  if (status.nominatedNodeName && status.nominatedNodeName !== old.status?.nominatedNodeName) {
    yield* checkDnsSubdomain("status.nominatedNodeName", status.nominatedNodeName);
  }
  yield* checkImmutable("status.qosClass", status.qosClass, old.status?.qosClass);
  const restarts = (name: string) =>
    spec.initContainers?.some((container) => container.name === name && isSidecar(container));
  for (const kind of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) {
    yield* checkTransitions(`status.${kind}`, {
      statuses: status[kind] ?? [],
      old: old.status?.[kind] ?? [],
      restartPolicy: kind === "ephemeralContainerStatuses" ? "Never" : (old.spec.restartPolicy ?? "Always"),
      restarts: (name) => kind === "initContainerStatuses" && restarts(name) === true,
    });
  }
  for (const kind of ["podIPs", "hostIPs"] as const) {
    for (const [index, { ip }] of (status[kind] ?? []).entries()) yield* checkIP(`status.${kind}[${index}]`, ip ?? "");
  }
}

/** Containers that have ended for good do not begin again. */
function* checkTransitions(
  field: string,
  of: {
    readonly statuses: readonly ContainerStatus[];
    readonly old: readonly ContainerStatus[];
    readonly restartPolicy: string;
    restarts(name: string): boolean;
  },
): Findings {
  if (of.restartPolicy === "Always") return;
  for (const [index, before] of of.old.entries()) {
    const ended = before.state?.terminated;
    if (ended === undefined || of.restarts(before.name)) continue;
    if (ended.exitCode !== 0 && of.restartPolicy === "OnFailure") continue;
    const now = of.statuses.find(({ name }) => name === before.name);
    if (now !== undefined && now.state?.terminated === undefined) {
      yield fieldError.forbidden(`${field}[${index}].state`, "may not be transitioned to non-terminated state");
    }
  }
}
