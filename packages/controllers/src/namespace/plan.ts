import type { KubeObject, Namespace, NamespaceCondition, ResourceDefinition } from "@skiff/api";
import { timestamp } from "@skiff/base";

/** What is left of one resource in a namespace after its objects were deleted. */
export interface Remains {
  readonly resource: Pick<ResourceDefinition, "group" | "plural">;
  readonly objects: readonly { readonly metadata: Pick<KubeObject["metadata"], "finalizers"> }[];
}

/** A resource whose objects could not be listed or deleted. */
export interface DeletionFailure {
  readonly resource: Pick<ResourceDefinition, "group" | "plural">;
  readonly message: string;
}

interface Finding {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** A group and version whose server does not tell what there is. */
export interface UnknownGroup {
  readonly group: string;
  readonly version: string;
}

const parsed: Finding = {
  type: "NamespaceDeletionGroupVersionParsingFailure",
  status: "False",
  reason: "ParsedGroupVersions",
  message: "All legacy kube types successfully parsed",
};

function discovery(unknown: readonly UnknownGroup[]): Finding {
  const type = "NamespaceDeletionDiscoveryFailure";
  if (unknown.length === 0) {
    return { type, status: "False", reason: "ResourcesDiscovered", message: "All resources successfully discovered" };
  }
  const causes = unknown
    .map(({ group, version }) => `${group}/${version}: stale GroupVersion discovery: ${group}/${version}`)
    .sort();
  const which = `unable to retrieve the complete list of server APIs: ${causes.join(", ")}`;
  const message = `Discovery failed for some groups, ${unknown.length} failing: ${which}`;
  return { type, status: "True", reason: "DiscoveryFailed", message };
}

/** The conditions that tell why a namespace is not gone yet. */
export function deletionConditions(observed: {
  readonly namespace: Namespace;
  readonly remains: readonly Remains[];
  readonly failures: readonly DeletionFailure[];
  readonly unknown: readonly UnknownGroup[];
  readonly nowMs: number;
}): NamespaceCondition[] {
  const { namespace, remains, failures, unknown, nowMs } = observed;
  const findings = [
    discovery(unknown),
    parsed,
    contentFailure(failures),
    contentRemaining(remains),
    finalizersRemaining(remains),
  ];
  const before = namespace.status?.conditions ?? [];
  const others = before.filter(({ type }) => !findings.some((finding) => finding.type === type));
  const changed = findings.map((finding) => {
    const old = before.find(({ type }) => type === finding.type);
    if (old?.status === finding.status && old.reason === finding.reason && old.message === finding.message) return old;
    const lastTransitionTime = old?.status === finding.status ? old.lastTransitionTime : timestamp(nowMs);
    return { ...finding, lastTransitionTime };
  });
  return [...others, ...changed];
}

function contentFailure(failures: readonly DeletionFailure[]): Finding {
  const type = "NamespaceDeletionContentFailure";
  if (failures.length === 0) {
    const message = "All content successfully deleted, may be waiting on finalization";
    return { type, status: "False", reason: "ContentDeleted", message };
  }
  const causes = failures
    .map(({ message }) => message)
    .sort()
    .join(", ");
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${causes}`;
  return { type, status: "True", reason: "ContentDeletionFailed", message };
}

function contentRemaining(remains: readonly Remains[]): Finding {
  const type = "NamespaceContentRemaining";
  if (remains.length === 0) {
    return { type, status: "False", reason: "ContentRemoved", message: "All content successfully removed" };
  }
  const counts = remains
    .map(({ resource: { plural, group }, objects }) => `${plural}.${group} has ${objects.length} resource instances`)
    .sort();
  return {
    type,
    status: "True",
    reason: "SomeResourcesRemain",
    message: `Some resources are remaining: ${counts.join(", ")}`,
  };
}

function finalizersRemaining(remains: readonly Remains[]): Finding {
  const type = "NamespaceFinalizersRemaining";
  const counts = new Map<string, number>();
  for (const { metadata } of remains.flatMap(({ objects }) => objects)) {
    for (const finalizer of metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  if (counts.size === 0) {
    const message = "All content-preserving finalizers finished";
    return { type, status: "False", reason: "ContentHasNoFinalizers", message };
  }
  const texts = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort();
  return {
    type,
    status: "True",
    reason: "SomeFinalizersRemain",
    message: `Some content in the namespace has finalizers remaining: ${texts.join(", ")}`,
  };
}
