/** What may change through `pods/binding` and `pods/status`, and only there. */
import { type FieldError, fieldError } from "../../field-error.ts";
import type { Binding, ContainerStatus, Pod, PodSpec } from "../../generated/types/core-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkIP,
  checkQualifiedName,
  type Findings,
} from "../../validation/checks.ts";
import { ruledAction } from "../pod-state.ts";
import { checkPodBinding } from "./pod-validation.ts";

/** Findings in what is posted to `pods/binding`. */
export const validatePodBinding = (binding: Binding): readonly FieldError[] => [...checkPodBinding(binding)];

const ownConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

/** A change through `pods/status`. */
export function* checkPodStatusUpdate(pod: Pod, old: Pod): Findings {
  const { status } = pod;
  for (const [index, { type }] of (status.conditions ?? []).entries()) {
    if (!ownConditions.has(type)) yield* checkQualifiedName(`metadata.conditions[${index}].Type`, type ?? "");
  }
  if (status.nominatedNodeName && status.nominatedNodeName !== old.status?.nominatedNodeName) {
    yield* checkDnsSubdomain("status.nominatedNodeName", status.nominatedNodeName);
  }
  yield* checkImmutable("status.qosClass", status.qosClass, old.status?.qosClass);
  for (const kind of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) {
    yield* checkTransitions(`status.${kind}`, {
      statuses: status[kind] ?? [],
      old: old.status?.[kind] ?? [],
      restarts: kind === "ephemeralContainerStatuses" ? () => false : restartsOf(old.spec),
    });
  }
  yield* checkExtendedClaim("status.extendedResourceClaimStatus", pod);
  for (const kind of ["podIPs", "hostIPs"] as const) {
    for (const [index, { ip }] of (status[kind] ?? []).entries()) yield* checkIP(`status.${kind}[${index}]`, ip ?? "");
  }
}

/** Which request of a claim is for which resource of a container. */
function* checkExtendedClaim(field: string, { spec, status }: Pod): Findings {
  const told = status.extendedResourceClaimStatus;
  if (told === undefined) return;
  const { requestMappings: mappings = [], resourceClaimName = "" } = told;
  if (mappings.length === 0) {
    yield fieldError.required(`${field}.requestMappings`, "at least one request mapping is required");
  }
  const containers = new Map([...(spec.initContainers ?? []), ...spec.containers].map((one) => [one.name, one]));
  const seen = new Set<string>();
  for (const [index, { containerName, resourceName, requestName }] of mappings.entries()) {
    const path = `${field}.requestMappings[${index}]`;
    const container = containers.get(containerName);
    if (container === undefined) {
      const message = "must match the name of an entry in spec.initContainers.name or spec.containers.name";
      yield fieldError.invalid(`${path}.containerName`, containerName, message);
    } else if (container.resources?.requests?.[resourceName] === undefined) {
      const message =
        "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests";
      yield fieldError.invalid(`${path}.resourceName`, resourceName, message);
    }
    yield* checkDnsLabel(`${field}.requestName`, requestName);
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      yield fieldError.duplicate(`${path}.containerName`, containerName);
      yield fieldError.duplicate(`${path}.resourceName`, resourceName);
      yield fieldError.duplicate(`${path}.requestName`, requestName);
    }
    seen.add(key);
  }
  if (resourceClaimName === "") yield fieldError.required(`${field}.resourceClaimName`);
  else yield* checkDnsSubdomain(`${field}.resourceClaimName`, resourceClaimName);
}

/**
 * Whether a container may run again after it ended with an exit code: its rules say so, or else its own policy or the pod's.
 * Where a rule of any container starts all of them anew, each may.
 */
function restartsOf(spec: PodSpec): (name: string, exitCode: number) => boolean {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const restartsAll = containers.some(({ restartPolicyRules: rules = [] }) =>
    rules.some(({ action }) => action === "RestartAllContainers"),
  );
  return (name, exitCode) => {
    const container = containers.find((one) => one.name === name);
    if (restartsAll || (container !== undefined && ruledAction(container, exitCode) !== undefined)) return true;
    const policy = container?.restartPolicy ?? spec.restartPolicy ?? "Always";
    return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
  };
}

/** Containers that have ended for good do not begin again. */
function* checkTransitions(
  field: string,
  of: {
    readonly statuses: readonly ContainerStatus[];
    readonly old: readonly ContainerStatus[];
    restarts(name: string, exitCode: number): boolean;
  },
): Findings {
  for (const [index, before] of of.old.entries()) {
    const ended = before.state?.terminated;
    if (ended === undefined || of.restarts(before.name, ended.exitCode)) continue;
    const now = of.statuses.find(({ name }) => name === before.name);
    if (now !== undefined && now.state?.terminated === undefined) {
      yield fieldError.forbidden(`${field}[${index}].state`, "may not be transitioned to non-terminated state");
    }
  }
}
