import type { Deployment, PodTemplateSpec, ReplicaSet } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { templateHashLabel } from "./annotations.ts";

/** One ReplicaSet of a Deployment as the plan has it so far. */
export interface Revision {
  readonly name: string;
  /** Absent while it is only planned. */
  readonly set: ReplicaSet | undefined;
  /** How many pods it is to have, and had before this plan. */
  readonly replicas: number;
  readonly before: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly minReadySeconds: number;
}

export function revisionFrom(set: ReplicaSet): Revision {
  const replicas = set.spec.replicas ?? 1;
  return {
    name: set.metadata.name,
    set,
    replicas,
    before: replicas,
    annotations: set.metadata.annotations ?? {},
    minReadySeconds: set.spec.minReadySeconds ?? 0,
  };
}

export const availableOf = ({ set }: Revision): number => set?.status?.availableReplicas ?? 0;

/** Older first; of the same second, by name. */
export function byCreation(a: Revision, b: Revision): number {
  const aTime = a.set?.metadata.creationTimestamp ?? "9999";
  const bTime = b.set?.metadata.creationTimestamp ?? "9999";
  if (aTime !== bTime) return aTime < bTime ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** True when two templates make the same pods; the label that tells revisions apart does not count. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return jsonEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec = {}): object {
  const { [templateHashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { spec: template.spec, metadata: { ...template.metadata, creationTimestamp: undefined, labels } };
}

/** The ReplicaSet of the Deployment's present template: the oldest, should there be several. */
export const findCurrent = (deployment: Deployment, revisions: readonly Revision[]): Revision | undefined =>
  [...revisions].sort(byCreation).find(({ set }) => sameTemplate(set?.spec.template, deployment.spec.template));
