import { deepCopy, jsonEqual } from "@skiff/base";
import { fieldError } from "../../field-error.ts";
import type { Container, Pod, ResourceRequirements } from "../../generated/types/core-v1.ts";
import type { PartRules } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { isSidecar } from "../pod-state.ts";
import { qosClass } from "../quality-of-service.ts";
import { keepPod } from "./ephemeral-containers-update.ts";
import { checkPod, mirrorAnnotation } from "./pod-validation.ts";

/** `pods/resize`: what containers, and the pod as a whole, ask for of cpu and memory, while they run. */
export const podResize: PartRules<Pod> = {
  prepare(pod, old) {
    const { containers, initContainers, resources } = pod.spec;
    // Validation refuses others.
    if (containers.length !== old.spec.containers.length) return;
    if ((initContainers ?? []).length !== (old.spec.initContainers ?? []).length) return;
    keepPod(pod, old);
    pod.spec.containers = resized(containers, old.spec.containers);
    if (initContainers && old.spec.initContainers)
      pod.spec.initContainers = resized(initContainers, old.spec.initContainers);
    if (resources === undefined) delete pod.spec.resources;
    else pod.spec.resources = resources;
  },
  validate(pod, old) {
    if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
      return [fieldError.forbidden("", "static pods cannot be resized")];
    }
    if (old.spec.os?.name === "windows") return [fieldError.forbidden("", "windows pods cannot be resized")];
    return [...checkPod(pod), ...checkResize(pod, old)];
  },
};

/** The old containers with the new ones' resources; the new ones as they are where they are not the old ones in their order. */
const resized = (containers: Container[], before: readonly Container[]): Container[] =>
  before.some(({ name }, index) => name !== containers[index]?.name)
    ? containers
    : before.map((container, index) => {
        const { resources, resizePolicy } = containers[index] ?? container;
        const { resizePolicy: _policy, ...rest } = deepCopy(container);
        return { ...rest, resources, ...(resizePolicy && { resizePolicy }) };
      });

function* checkResize(pod: Pod, old: Pod): Findings {
  if ((old.status?.qosClass ?? qosClass(old)) !== qosClass(pod)) {
    const message = "Pod QOS Class may not change as a result of resizing";
    yield fieldError.invalid("spec", pod.status?.qosClass ?? "", message);
  }
  const running = old.status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  if (running !== undefined && running.resources === undefined) {
    yield fieldError.forbidden("spec", "Pod running on node without support for resize");
  }
  if (isSet(pod.spec.resources) || isSet(old.spec.resources)) yield* checkWholePod(pod, old);
  const order = [...checkOrder("containers", pod, old), ...checkOrder("initContainers", pod, old)];
  if (order.length > 0) return yield* order;
  const inits = old.spec.initContainers ?? [];
  for (const [index, before] of inits.entries()) {
    const now = pod.spec.initContainers?.[index];
    if (now) yield* checkKept(`spec.initContainers[${index}].resources`, now, before);
  }
  for (const [index, before] of old.spec.containers.entries()) {
    const now = pod.spec.containers[index];
    if (now) yield* checkKept(`spec.containers[${index}].resources`, now, before);
  }
  for (const [index, before] of old.spec.containers.entries()) {
    if (sameButAmounts(pod.spec.containers[index], before)) continue;
    yield fieldError.forbidden("spec", "only cpu and memory resources are mutable");
  }
  for (const [index, before] of inits.entries()) {
    const now = pod.spec.initContainers?.[index];
    const field = `spec.initContainers[${index}]`;
    if (!sameButAmounts(now, before)) {
      const message = "only cpu and memory resources for init or sidecar containers are mutable";
      yield fieldError.forbidden(field, message);
    }
    if (isSidecar(before) || jsonEqual(now, before)) continue;
    for (const { restartPolicy } of now?.resizePolicy ?? []) {
      if (restartPolicy !== "RestartContainer") continue;
      const message = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
      yield fieldError.forbidden(field, message);
    }
  }
}

const isSet = (resources: ResourceRequirements | undefined): boolean =>
  Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0;

function* checkWholePod({ spec: { resources } }: Pod, { spec: { resources: before } }: Pod): Findings {
  if (before !== undefined && resources === undefined) {
    return yield fieldError.forbidden("spec.resources", "pod-level resources cannot be removed");
  }
  for (const kind of ["requests", "limits"] as const) {
    if (!removes(resources, before, kind)) continue;
    yield fieldError.forbidden(`spec.resources.${kind}`, `pod-level resource ${kind} cannot be removed`);
  }
  if (jsonEqual(others(resources), others(before))) return;
  yield fieldError.forbidden("spec", "only cpu and memory resources are mutable at pod-level");
}

/** The rest can be compared only where the containers are the same ones. */
function* checkOrder(list: "containers" | "initContainers", pod: Pod, old: Pod): Findings {
  const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []];
  if (now.length !== before.length) {
    return yield fieldError.forbidden(`spec.${list}`, `${list} may not be added or removed on resize`);
  }
  for (const [index, { name }] of before.entries()) {
    if (now[index]?.name === name) continue;
    const message = `${list} may not be renamed or reordered on resize`;
    yield fieldError.forbidden(`spec.${list}[${index}].name`, message);
  }
}

function* checkKept(field: string, now: Container, before: Container): Findings {
  for (const kind of ["requests", "limits"] as const) {
    if (!removes(now.resources, before.resources, kind)) continue;
    yield fieldError.forbidden(`${field}.${kind}`, `resource ${kind} cannot be removed`);
  }
}

const removes = (
  now: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
  kind: "requests" | "limits",
): boolean => Object.keys(before?.[kind] ?? {}).some((name) => now?.[kind]?.[name] === undefined);

const sameButAmounts = (now: Container | undefined, before: Container): boolean =>
  now !== undefined &&
  jsonEqual({ ...now, resources: others(now.resources) }, { ...before, resources: others(before.resources) });

/** What is asked for beside cpu and memory. */
function others(resources: ResourceRequirements | undefined) {
  const rest = (amounts: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"));
  return { requests: rest(resources?.requests), limits: rest(resources?.limits), claims: resources?.claims ?? [] };
}
