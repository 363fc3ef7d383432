/**
 * Reports of a Job's state. Controllers of other makers report too (`managedBy`), so what makes no sense is refused; but
 * what was there before may stay: most rules are asked only when what they are about has changed.
 */
import { jsonEqual } from "@skiff/base";
import { fieldError, omittedValue } from "../../field-error.ts";
import type { Job, JobStatus } from "../../generated/types/batch-v1.ts";
import { checkNonNegative, type Findings } from "../../validation/checks.ts";
import { IndexesError, overlap, parseIndexes } from "./job-indexes.ts";

const holds = ({ conditions }: JobStatus, type: string, state = "True"): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === state) === true;

/** The states that decide over a job. */
const stateOf = (status: JobStatus) => ({
  complete: holds(status, "Complete"),
  failed: holds(status, "Failed"),
  failureTarget: holds(status, "FailureTarget"),
  criteriaMet: holds(status, "SuccessCriteriaMet"),
  finished: holds(status, "Complete") || holds(status, "Failed"),
  suspended: holds(status, "Suspended"),
  resumed: holds(status, "Suspended", "False"),
});

type State = ReturnType<typeof stateOf>;

interface Report {
  readonly job: Job;
  readonly status: JobStatus;
  readonly old: JobStatus;
  readonly now: State;
  readonly before: State;
  changed(...fields: readonly (keyof JobStatus)[]): boolean;
}

/** A report of a Job's state. */
export function* checkJobStatusUpdate(job: Job, { status: old = {} }: Job): Findings {
  const { status } = job;
  const changed = (...fields: readonly (keyof JobStatus)[]) =>
    fields.some((field) => !jsonEqual(status[field], old[field]));
  const report: Report = { job, status, old, now: stateOf(status), before: stateOf(old), changed };
  yield* checkCounts(status);
  yield* checkTimes(report);
  yield* checkFinished(report);
  yield* checkIndexes(report);
  yield* checkRest(report);
  yield* checkChange(report);
}

function* checkCounts(status: JobStatus): Findings {
  for (const name of ["active", "succeeded", "failed", "ready", "terminating"] as const) {
    yield* checkNonNegative(`status.${name}`, status[name]);
  }
  const seen = new Set<string>();
  for (const name of ["succeeded", "failed"] as const) {
    for (const [index, uid] of (status.uncountedTerminatedPods?.[name] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${name}[${index}]`;
      if (uid === "") yield fieldError.invalid(path, uid, "must not be empty");
      else if (seen.has(uid)) yield fieldError.duplicate(path, uid);
      seen.add(uid);
    }
  }
}

const conditions = (message: string) => fieldError.invalid("status.conditions", omittedValue, message);

function* checkTimes({ status, now, before, changed }: Report): Findings {
  const { startTime, completionTime } = status;
  const completed = now.complete !== before.complete;
  if ((completed || now.failed !== before.failed) && now.complete && now.failed) {
    yield conditions("cannot set Complete=True and Failed=true conditions");
  }
  if ((completed || now.failureTarget !== before.failureTarget) && now.complete && now.failureTarget) {
    yield conditions("cannot set Complete=True and FailureTarget=true conditions");
  }
  if ((completed || changed("completionTime")) && completionTime !== undefined && !now.complete) {
    const message = "cannot set completionTime when there is no Complete=True condition";
    yield fieldError.invalid("status.completionTime", completionTime, message);
  }
  if ((completed || changed("completionTime")) && completionTime === undefined && now.complete) {
    yield fieldError.required("status.completionTime", "completionTime is required for Complete jobs");
  }
  const inOrder = !startTime || !completionTime || Date.parse(completionTime) >= Date.parse(startTime);
  if (changed("startTime", "completionTime") && !inOrder) {
    yield fieldError.invalid("status.completionTime", completionTime, "must be equal to or after `startTime`");
  }
}

function* checkFinished({ job, status, now, before, changed }: Report): Findings {
  const finished = now.finished !== before.finished;
  if ((now.failed !== before.failed || changed("failedIndexes")) && now.failed && !now.failureTarget) {
    yield conditions("cannot set Failed=True condition without the FailureTarget=true condition");
  }
  const completed = now.complete !== before.complete || now.criteriaMet !== before.criteriaMet;
  if (completed && now.complete && !now.criteriaMet) {
    yield conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  if (!now.finished) return;
  const { active = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  if ((finished || changed("active")) && active > 0) {
    yield fieldError.invalid("status.active", active, "active>0 is invalid for finished job");
  }
  const neverRan = job.spec.suspend === true && job.spec.completions === 0;
  if ((finished || changed("startTime")) && !neverRan && startTime === undefined) {
    yield fieldError.required("status.startTime", "startTime is required for finished job");
  }
  const left = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0);
  if ((finished || changed("uncountedTerminatedPods")) && left > 0) {
    yield fieldError.invalid("status.uncountedTerminatedPods", uncounted, "must be empty for finished job");
  }
}

function* checkIndexes({ job: { spec }, status, changed }: Report): Findings {
  const { completedIndexes = "", failedIndexes } = status;
  const { completions, backoffLimitPerIndex } = spec;
  const byCompleted = changed("completedIndexes");
  const byFailed = changed("failedIndexes");
  if (byCompleted && completions !== undefined) yield* checkFormat("completedIndexes", completedIndexes, completions);
  if (byFailed && completions !== undefined && backoffLimitPerIndex !== undefined && failedIndexes !== undefined) {
    yield* checkFormat("failedIndexes", failedIndexes, completions);
  }
  if (byCompleted && completedIndexes !== "" && spec.completionMode !== "Indexed") {
    const message = "cannot set non-empty completedIndexes when non-indexed completion mode";
    yield fieldError.invalid("status.completedIndexes", completedIndexes, message);
  }
  if (failedIndexes === undefined) return;
  if (byFailed && backoffLimitPerIndex === undefined) {
    const message = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    yield fieldError.invalid("status.failedIndexes", failedIndexes, message);
  }
  if ((!byFailed && !byCompleted) || completions === undefined) return;
  const both = overlap(completedIndexes, failedIndexes, completions);
  if (both === undefined) return;
  const message = `failedIndexes and completedIndexes overlap at index: ${both}`;
  yield fieldError.invalid("status.failedIndexes", failedIndexes, message);
}

function* checkFormat(name: string, text: string, completions: number): Findings {
  try {
    parseIndexes(text, completions);
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error;
    yield fieldError.invalid(`status.${name}`, text, `error parsing ${name}: ${error.message}`);
  }
}

function* checkRest({ job, status, now, before, changed }: Report): Findings {
  const { terminating = 0, ready = 0, active = 0 } = status;
  if ((now.finished !== before.finished || changed("terminating")) && terminating > 0 && now.finished) {
    yield fieldError.invalid("status.terminating", terminating, "terminating>0 is invalid for finished job");
  }
  if (changed("ready", "active") && ready > active) {
    yield fieldError.invalid("status.ready", ready, "cannot set more ready pods than active");
  }
  if (now.criteriaMet && now.failed) yield conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions");
  if (now.criteriaMet && now.failureTarget) {
    yield conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  }
  if (job.spec.successPolicy !== undefined && !now.criteriaMet && now.complete) {
    yield conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
  }
}

function* checkChange({ job: { spec }, status, old, now, before, changed }: Report): Findings {
  const disabled = [
    ["Failed", before.failed && !now.failed],
    ["Complete", before.complete && !now.complete],
    ["FailureTarget", before.failureTarget && !now.failureTarget],
  ] as const;
  for (const [type, gone] of disabled) {
    if (gone) yield conditions(`cannot disable the terminal ${type}=True condition`);
  }
  if ((status.failed ?? 0) < (old.failed ?? 0)) {
    yield fieldError.invalid("status.failed", status.failed ?? 0, "cannot decrease the failed counter");
  }
  // An indexed job that shrinks forgets the indexes that it no longer has.
  const shrinks = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!shrinks && (status.succeeded ?? 0) < (old.succeeded ?? 0)) {
    yield fieldError.invalid("status.succeeded", status.succeeded ?? 0, "cannot decrease the succeeded counter");
  }
  if (status.completionTime && old.completionTime && changed("completionTime")) {
    yield fieldError.invalid("status.completionTime", status.completionTime, "field is immutable");
  }
  // Whoever resumes a job has changed its spec before its status tells of it.
  const isHeld = spec.suspend === true || (before.suspended && now.resumed);
  if (old.startTime !== undefined && changed("startTime") && !isHeld) {
    const message = "field is immutable for unsuspended job once set";
    yield fieldError.invalid("status.startTime", status.startTime ?? null, message);
  }
  if (before.criteriaMet && !now.criteriaMet) yield conditions("cannot disable the SuccessCriteriaMet=True condition");
  if (before.complete && !before.criteriaMet && now.criteriaMet) {
    yield conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
  }
}
