import { messages } from "./generated/messages.ts";

/** A field of a message. */
export interface MessageField {
  /** Its name in JSON; `^`: its own fields are its parent's. */
  readonly name: string;
  readonly type: string;
  readonly shape: "single" | "list" | "map";
}

const read = new Map<string, ReadonlyMap<number, MessageField>>();

/** The fields of a message by number, or `undefined` for a message that is not known. */
export function messageFields(message: string): ReadonlyMap<number, MessageField> | undefined {
  const known = read.get(message);
  if (known !== undefined) return known;
  if (!Object.hasOwn(messages, message)) return undefined;
  const fields = new Map<number, MessageField>();
  for (const text of (messages[message] ?? "").split(";")) {
    const [tag = "", name = "", type = ""] = text.split(" ");
    const shape = type.startsWith("[]") ? "list" : type.startsWith("{}") ? "map" : "single";
    if (name !== "") fields.set(Number(tag), { name, type: shape === "single" ? type : type.slice(2), shape });
  }
  read.set(message, fields);
  return fields;
}

/**
 * Single values that Kubernetes holds by pointer, so that zero is something else than absent. Of all others zero is on the
 * wire although nobody said it, and left out in JSON.
 */
const heldByPointer: ReadonlySet<string> = new Set(
  `replicas runAsUser runAsGroup runAsNonRoot fsGroup privileged allowPrivilegeEscalation readOnlyRootFilesystem
  automountServiceAccountToken terminationGracePeriodSeconds tolerationSeconds activeDeadlineSeconds backoffLimit
  backoffLimitPerIndex maxFailedIndexes completions parallelism suspend startingDeadlineSeconds successfulJobsHistoryLimit
  failedJobsHistoryLimit revisionHistoryLimit progressDeadlineSeconds ttlSecondsAfterFinished optional immutable
  enableServiceLinks shareProcessNamespace hostUsers setHostnameAsFQDN defaultMode mode expirationSeconds storageClassName
  controller blockOwnerDeletion priority gracePeriodSeconds orphanDependents deletionGracePeriodSeconds ready serving
  terminating allocateLoadBalancerNodePorts leaseDurationSeconds leaseTransitions partition minReplicas
  averageUtilization targetCPUUtilizationPercentage currentCPUUtilizationPercentage stabilizationWindowSeconds minDomains
  ingressClassName volumeAttributesClassName attachRequired podInfoOnMount storageCapacity
  requiresRepublish seLinuxMount fsGroupPolicy allowVolumeExpansion started exitCode
  apiGroup`.split(/\s+/),
);

/** True when a zero of this field is to be told. */
export const tellsZero = (name: string): boolean => heldByPointer.has(name);
