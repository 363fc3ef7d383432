import type { CronJob, CronSchedule } from "@skiff/api";
import { nextTime } from "./next-time.ts";

/** So many missed times are told of: something is wrong with the clock or the controller was away for long. */
const manyMissed = 100;

/** The last time of a schedule that has come. Times are epoch milliseconds. */
export type Due =
  /** There is no such time: the 31st of February. */
  | { readonly kind: "never" }
  | {
      readonly kind: "due";
      /** From when on times count. */
      readonly fromMs: number;
      /** `undefined`: none has come since, or none near enough to be made up for. */
      readonly atMs: number | undefined;
      /** Times before it that were missed, by a rough count. */
      readonly missed: "none" | "few" | "many";
    };

/**
 * The last time that has come since the last job, or since the CronJob exists. Long absences are skipped, not counted one by one: as
 * if all times were as far apart as the first two, a schedule is followed from a little before now.
 *
 * `30 10,11,12 * * *`, last at 10:30 yesterday, looked at today at 14:00: by steps of an hour the search begins at 13:30, and finds
 * nothing: so does Kubernetes.
 */
export function lastDue(
  { spec, status, metadata }: CronJob,
  {
    schedule,
    nowMs,
    withinDeadline,
  }: { readonly schedule: CronSchedule; readonly nowMs: number; readonly withinDeadline: boolean },
): Due {
  const { startingDeadlineSeconds, timeZone } = spec;
  let fromMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
  if (withinDeadline && startingDeadlineSeconds !== undefined)
    fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  const first = nextTime(schedule, fromMs, timeZone);
  if (first === undefined) return { kind: "never" };
  if (first > nowMs) return { kind: "due", fromMs, atMs: undefined, missed: "none" };
  const second = nextTime(schedule, first, timeZone);
  if (second === undefined) return { kind: "never" };
  if (second > nowMs) return { kind: "due", fromMs, atMs: first, missed: "none" };
  const distanceMs = second - first;
  const missed = Math.floor((nowMs - first) / distanceMs) + 1;
  let atMs: number | undefined;
  let next = nextTime(schedule, first + (missed - 2) * distanceMs, timeZone);
  for (; next !== undefined && next <= nowMs; next = nextTime(schedule, next, timeZone)) atMs = next;
  return { kind: "due", fromMs, atMs, missed: missed > manyMissed ? "many" : "few" };
}
