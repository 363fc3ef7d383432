import type { Deployment, ReplicaSet } from "@skiff/api";
import { isCopied, revisionOf, rollbackAnnotation, templateHashLabel } from "./annotations.ts";
import { findCurrent, revisionFrom, sameTemplate } from "./revision.ts";

/** What comes of going back to an earlier revision. */
export interface Rollback {
  /** As it is to be now; the wish is fulfilled, or given up. */
  readonly deployment: Deployment;
  readonly event: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string };
}

/** The revision that somebody wishes to go back to, as tools of old say it; 0: the one before. `undefined`: nobody does. */
export function rollbackWish({ metadata }: Deployment): bigint | undefined {
  const text = metadata.annotations?.[rollbackAnnotation] ?? "";
  return /^[+-]?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

/** Goes back to an earlier revision. `undefined`: nobody wishes that, or the present one has yet to be counted. */
export function planRollback(deployment: Deployment, sets: readonly ReplicaSet[]): Rollback | undefined {
  const wish = rollbackWish(deployment);
  if (wish === undefined || !isCounted(deployment, sets)) return undefined;
  const fulfilled = without(deployment);
  const gaveUp = (reason: string, message: string): Rollback => ({
    deployment: fulfilled,
    event: { type: "Warning", reason: `DeploymentRollback${reason}`, message },
  });
  const revision = wish === 0n ? lastRevision(sets) : wish;
  if (revision === 0n) return gaveUp("RevisionNotFound", "Unable to find last revision.");
  const set = sets.find((one) => revisionOf(one) === revision);
  if (set === undefined) return gaveUp("RevisionNotFound", "Unable to find the revision to rollback to.");
  const name = JSON.stringify(deployment.metadata.name);
  if (sameTemplate(set.spec.template, deployment.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment ${name}`;
    return gaveUp("TemplateUnchanged", message);
  }
  const message = `Rolled back deployment ${name} to revision ${revision}`;
  return { deployment: backTo(fulfilled, set), event: { type: "Normal", reason: "DeploymentRollback", message } };
}

/** The present template has its set, with the newest revision. */
function isCounted(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const current = findCurrent(deployment, sets.map(revisionFrom))?.set;
  return current !== undefined && sets.every((set) => set === current || revisionOf(set) < revisionOf(current));
}

/** The second newest. */
function lastRevision(sets: readonly ReplicaSet[]): bigint {
  const revisions = sets.map(revisionOf).sort((a, b) => (a < b ? 1 : -1));
  return revisions[1] ?? 0n;
}

function without(deployment: Deployment): Deployment {
  const { [rollbackAnnotation]: _wish, ...annotations } = deployment.metadata.annotations ?? {};
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

/** The set's template, and what the Deployment was annotated with at that time. */
function backTo(deployment: Deployment, { metadata, spec }: ReplicaSet): Deployment {
  const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !isCopied(key));
  const old = Object.entries(metadata.annotations ?? {}).filter(([key]) => isCopied(key));
  const { [templateHashLabel]: _hash, ...labels } = spec.template?.metadata?.labels ?? {};
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: Object.fromEntries([...own, ...old]) },
    spec: { ...deployment.spec, template: { ...spec.template, metadata: { ...spec.template?.metadata, labels } } },
  };
}
