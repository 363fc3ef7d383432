import type { Job, Pod, SuccessPolicyRule } from "@skiff/api";
import type { Counted } from "./count.ts";
import { readIndexes } from "./indexes.ts";
import { activePods, conditionOf, isIndexed, type Observed } from "./observed.ts";

/** How a job ends. `target` is the condition that tells of it while its pods still go. */
export interface Verdict {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

/** The condition that comes before the last one. */
export const targetOf = ({ type }: Verdict): string => (type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget");

const deadlineMessage = "Job was active longer than specified deadline";

/** Whether the job has come to its end. What was decided once stays decided. */
export function verdictOf(observed: Observed, counted: Counted): Verdict | undefined {
  const { job } = observed;
  const decided = conditionOf(job, "FailureTarget");
  if (decided !== undefined) return failed(decided.reason ?? "", decided.message ?? "");
  const met = conditionOf(job, "SuccessCriteriaMet");
  if (met !== undefined) return { type: "Complete", reason: met.reason ?? "", message: met.message ?? "" };
  return failureOf(observed, counted) ?? successOf(observed, counted);
}

const failed = (reason: string, message: string): Verdict => ({ type: "Failed", reason, message });

function failureOf(observed: Observed, counted: Counted): Verdict | undefined {
  const { job, pods } = observed;
  const { spec } = job;
  if (counted.failJobMessage !== undefined) return failed("PodFailurePolicy", counted.failJobMessage);
  if (counted.failed > (spec.backoffLimit ?? 6) || restartsExceed(job, pods)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (deadlineInMs(observed) === 0) return failed("DeadlineExceeded", deadlineMessage);
  if (!isIndexed(job) || spec.backoffLimitPerIndex === undefined) return undefined;
  const { failedIndexes, succeededIndexes } = counted;
  if (spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes) {
    return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  const over = failedIndexes.size + succeededIndexes.size >= (spec.completions ?? 0);
  return over && failedIndexes.size > 0 ? failed("FailedIndexes", "Job has failed indexes") : undefined;
}

/** Milliseconds until the job has been active for too long; `undefined` where it may be for ever. */
export function deadlineInMs({ job, nowMs }: Observed): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec;
  if (activeDeadlineSeconds === undefined || suspend === true) return undefined;
  // One that begins or goes on just now has all of its time before it.
  const begins = job.status?.startTime === undefined || conditionOf(job, "Suspended") !== undefined;
  const startedMs = begins ? nowMs : Date.parse(job.status?.startTime ?? "");
  return Math.max(0, startedMs + activeDeadlineSeconds * 1000 - nowMs);
}

/** Where pods restart their own containers, restarts count instead of failed pods. */
function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== "OnFailure") return false;
  let restarts = 0;
  for (const { status } of pods.filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")) {
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += restartCount;
    }
  }
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function successOf({ job, pods }: Observed, counted: Counted): Verdict | undefined {
  const { completions, successPolicy } = job.spec;
  const { succeeded, succeededIndexes } = counted;
  const rule = (successPolicy?.rules ?? []).findIndex((one) => isMet(one, succeededIndexes, completions ?? 0));
  if (isIndexed(job) && rule >= 0) {
    return { type: "Complete", reason: "SuccessPolicy", message: `Matched rules at index ${rule}` };
  }
  const reached = completions === undefined ? succeeded > 0 && activePods(pods).length === 0 : succeeded >= completions;
  if (!reached) return undefined;
  return { type: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
}

function isMet(rule: SuccessPolicyRule, succeeded: ReadonlySet<number>, completions: number): boolean {
  if (rule.succeededIndexes === undefined) return succeeded.size >= (rule.succeededCount ?? completions);
  const wanted = readIndexes(rule.succeededIndexes, completions);
  const met = [...wanted].filter((index) => succeeded.has(index)).length;
  return met >= (rule.succeededCount ?? wanted.size);
}
