/** What may change through `pods/binding` and `pods/status`, and only there. */
import { type FieldError, fieldError } from "../../field-error.ts";
import type { Binding, ContainerStatus, Pod } from "../../generated/types/core-v1.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkIP,
  checkQualifiedName,
  type Findings,
} from "../../validation/checks.ts";
import { isSidecar } from "../pod-state.ts";
import { checkPodBinding } from "./pod-validation.ts";

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
