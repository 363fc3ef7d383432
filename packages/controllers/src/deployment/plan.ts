import type { Deployment, DeploymentCondition, DeploymentStatus, New, ReplicaSet } from "@skiff/api";
import { deepCopy, jsonEqual } from "@skiff/base";
import {
  currentAnnotations,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  revisionAnnotation,
  revisionOf,
} from "./annotations.ts";
import { conditionOf, hasDeadline, isComplete, withFinding } from "./conditions.ts";
import { newReplicaSet } from "./new-replica-set.ts";
import { findCurrent, type Revision, revisionFrom } from "./revision.ts";
import { rollbackWish } from "./rollback.ts";
import { nextSize, oldSizes, type Sizes } from "./rolling-update.ts";
import { isScaling, scaledSizes } from "./scaling.ts";
import { countedStatus, rolloutStatus } from "./status.ts";
import { desiredOf, leewayOf } from "./strategy.ts";

/** What is known of a Deployment. */
export interface Observation {
  readonly deployment: Deployment;
  /** All that it controls. */
  readonly sets: readonly ReplicaSet[];
  /** Whether pods of the set with this name have not ended yet; only asked for with strategy `Recreate`. */
  readonly hasRunningPods: (set: string) => boolean;
  readonly nowMs: number;
}

/** A change of one ReplicaSet. */
export interface SetChange {
  readonly set: ReplicaSet;
  /** Its pods before and after. */
  readonly from: number;
  readonly to: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly minReadySeconds: number;
}

/** The next step of a Deployment. Done in this order: create, change, remove, status. */
export interface DeploymentPlan {
  readonly create: New<ReplicaSet> | undefined;
  readonly change: readonly SetChange[];
  readonly remove: readonly ReplicaSet[];
  /** For the Deployment's annotation; `undefined`: as it is. */
  readonly revision: string | undefined;
  readonly status: DeploymentStatus;
  readonly recheckMs: number | undefined;
}

/** The plan while it is being made. */
class Draft {
  readonly observation: Observation;
  readonly old: Revision[];
  current: Revision | undefined;
  create: New<ReplicaSet> | undefined;
  remove: readonly ReplicaSet[] = [];
  conditions: readonly DeploymentCondition[];

  constructor(observation: Observation) {
    const { deployment, sets } = observation;
    const revisions = sets.map(revisionFrom);
    this.observation = observation;
    this.current = findCurrent(deployment, revisions);
    this.old = revisions.filter((revision) => revision !== this.current);
    this.conditions = deployment.status?.conditions ?? [];
  }

  get all(): readonly Revision[] {
    return this.current === undefined ? this.old : [...this.old, this.current];
  }

  find(type: "Progressing", status: "True" | "Unknown", reason: string, message: string): void {
    this.conditions = withFinding(this.conditions, { type, status, reason, message }, this.observation.nowMs);
  }

  /** Gives the named sets their sizes; each remembers for how many replicas of the whole it was sized. */
  resize(sizes: Sizes): boolean {
    const { deployment } = this.observation;
    const desired = desiredOf(deployment);
    const sizedFor = {
      [desiredReplicasAnnotation]: String(desired),
      [maxReplicasAnnotation]: String(desired + leewayOf(deployment).maxSurge),
    };
    let changed = false;
    const resized = (revision: Revision): Revision => {
      const replicas = sizes.get(revision.name);
      if (replicas === undefined) return revision;
      changed ||= replicas !== revision.replicas;
      return { ...revision, replicas, annotations: { ...revision.annotations, ...sizedFor } };
    };
    this.old.splice(0, this.old.length, ...this.old.map(resized));
    if (this.current !== undefined) this.current = resized(this.current);
    return changed;
  }
}

/** Decides one step; the changes that it makes bring about the next. */
export function planDeployment(observation: Observation): DeploymentPlan {
  const { deployment } = observation;
  const draft = new Draft(observation);
  if (deployment.metadata.deletionTimestamp !== undefined) return finished(draft, counted(draft));
  notePause(draft);
  adoptCurrent(draft);
  if (deployment.spec.paused === true || isScaling(deployment, draft.all)) {
    draft.resize(scaledSizes(deployment, draft.current, draft.old));
    if (deployment.spec.paused === true && rollbackWish(deployment) === undefined) cleanUp(draft);
    return finished(draft, counted(draft));
  }
  if (deployment.spec.strategy?.type === "Recreate") recreate(draft);
  else rollingUpdate(draft);
  return finished(draft, rolledOut(draft));
}

function notePause(draft: Draft): void {
  const { deployment } = draft.observation;
  const reason = conditionOf(draft.conditions, "Progressing")?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return;
  const paused = deployment.spec.paused === true;
  if (paused && reason !== "DeploymentPaused") {
    draft.find("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
  } else if (!paused && reason === "DeploymentPaused") {
    draft.find("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
  }
}

const nextRevision = ({ old }: Draft): bigint =>
  old.reduce((newest, { set }) => larger(newest, set === undefined ? 0n : revisionOf(set)), 0n) + 1n;

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The set of the present template carries the newest revision, whenever it was made: so a rollback is a new revision. */
function adoptCurrent(draft: Draft): void {
  const { deployment } = draft.observation;
  const { current } = draft;
  if (current === undefined) return;
  draft.current = {
    ...current,
    annotations: currentAnnotations(current.annotations, deployment.metadata.annotations ?? {}, nextRevision(draft)),
    minReadySeconds: deployment.spec.minReadySeconds ?? 0,
  };
  if (hasDeadline(deployment) && conditionOf(draft.conditions, "Progressing") === undefined) {
    draft.find("Progressing", "True", "FoundNewReplicaSet", `Found new replica set ${JSON.stringify(current.name)}`);
  }
}

function createCurrent(draft: Draft): void {
  const { deployment } = draft.observation;
  const set = newReplicaSet(deployment);
  const name = set.metadata.name ?? "";
  const annotations = currentAnnotations({}, deployment.metadata.annotations ?? {}, nextRevision(draft));
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  draft.current = { name, set: undefined, replicas: 0, before: 0, annotations, minReadySeconds };
  draft.resize(new Map([[name, nextSize(deployment, draft.current, draft.all)]]));
  draft.create = {
    ...set,
    metadata: { ...set.metadata, annotations: { ...draft.current.annotations } },
    ...(set.spec === undefined ? {} : { spec: { ...set.spec, replicas: draft.current.replicas } }),
  };
  if (hasDeadline(deployment)) {
    draft.find("Progressing", "True", "NewReplicaSetCreated", `Created new replica set ${JSON.stringify(name)}`);
  }
}

function rollingUpdate(draft: Draft): void {
  const { deployment } = draft.observation;
  if (draft.current === undefined) createCurrent(draft);
  const { current, old, all } = draft;
  if (current === undefined) return;
  const size = nextSize(deployment, current, all);
  if (size !== current.replicas) {
    draft.resize(new Map([[current.name, size]]));
    return;
  }
  if (draft.resize(oldSizes(deployment, current, old))) return;
  if (isComplete(deployment, counted(draft).status)) cleanUp(draft);
}

function recreate(draft: Draft): void {
  const { deployment, hasRunningPods } = draft.observation;
  const active = draft.old.filter(({ replicas }) => replicas > 0);
  if (draft.resize(new Map(active.map(({ name }) => [name, 0])))) return;
  if (draft.old.some(({ name, set }) => (set?.status?.replicas ?? 0) > 0 || hasRunningPods(name))) return;
  if (draft.current === undefined) {
    createCurrent(draft);
    return;
  }
  if (draft.resize(new Map([[draft.current.name, desiredOf(deployment)]]))) return;
  if (isComplete(deployment, counted(draft).status)) cleanUp(draft);
}

/** Forgets the oldest revisions beyond the history's limit; what still has pods stays. */
function cleanUp(draft: Draft): void {
  const limit = draft.observation.deployment.spec.revisionHistoryLimit;
  if (limit === undefined) return;
  const alive = draft.old.flatMap(({ set }) => (set?.metadata.deletionTimestamp === undefined && set ? [set] : []));
  draft.remove = alive
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)))
    .slice(0, Math.max(0, alive.length - limit))
    .filter(
      ({ spec, status, metadata }) =>
        (spec.replicas ?? 1) + (status?.replicas ?? 0) === 0 &&
        (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
    );
}

interface Reported {
  readonly status: DeploymentStatus;
  readonly recheckMs: number | undefined;
}

const observedBy = ({ observation: { deployment, nowMs }, conditions, current, all }: Draft) => ({
  deployment,
  nowMs,
  conditions,
  current,
  all,
});

const counted = (draft: Draft): Reported => ({ status: countedStatus(observedBy(draft)), recheckMs: undefined });

const rolledOut = (draft: Draft): Reported => rolloutStatus(observedBy(draft));

function finished(draft: Draft, { status, recheckMs }: Reported): DeploymentPlan {
  const { deployment } = draft.observation;
  const revision = draft.current?.annotations[revisionAnnotation];
  return {
    create: draft.create === undefined ? undefined : deepCopy(draft.create),
    change: draft.all.flatMap(changeOf),
    remove: draft.remove,
    revision: revision === deployment.metadata.annotations?.[revisionAnnotation] ? undefined : revision,
    status,
    recheckMs,
  };
}

function changeOf({ set, before, replicas, annotations, minReadySeconds }: Revision): SetChange[] {
  if (set === undefined) return [];
  const same =
    before === replicas &&
    minReadySeconds === (set.spec.minReadySeconds ?? 0) &&
    jsonEqual(annotations, set.metadata.annotations ?? {});
  return same ? [] : [{ set, from: before, to: replicas, annotations, minReadySeconds }];
}
