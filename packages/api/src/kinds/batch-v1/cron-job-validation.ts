import { fieldError } from "../../field-error.ts";
import type { CronJob, CronJobSpec, JobSpec } from "../../generated/types/batch-v1.ts";
import { checkNonNegative, checkRequiredChoice, type Findings } from "../../validation/checks.ts";
import { tooLongMessage } from "../../validation/names.ts";
import { CronError, parseCronSchedule } from "./cron-schedule.ts";
import { checkJobSpecParts } from "./job-spec-validation.ts";
import { isTimeZone } from "./time-zone.ts";

/** Names of Jobs are 63 at most, and those of a CronJob get a time of 11 behind its own name. */
const longestName = 52;

/** A CronJob; `old` is absent for a new one. */
export function* checkCronJob({ metadata, spec }: CronJob, old: CronJob | undefined): Findings {
  yield* checkSchedule("spec.schedule", spec, old?.spec.schedule?.includes("TZ") === true);
  yield* checkNonNegative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds);
  if (old === undefined || old.spec.timeZone !== spec.timeZone) yield* checkTimeZone("spec.timeZone", spec.timeZone);
  yield* checkRequiredChoice("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]);
  yield* checkTemplate("spec.jobTemplate.spec", spec.jobTemplate?.spec);
  yield* checkNonNegative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit);
  yield* checkNonNegative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit);
  if (old === undefined && metadata.name.length > longestName) {
    yield fieldError.invalid("metadata.name", metadata.name, tooLongMessage(longestName));
  }
}

function* checkSchedule(field: string, { schedule, timeZone }: CronJobSpec, allowsZone: boolean): Findings {
  if (!schedule) return yield fieldError.required(field);
  try {
    parseCronSchedule(schedule);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    yield fieldError.invalid(field, schedule, error.message);
  }
  if (!schedule.includes("TZ")) return;
  if (!allowsZone) {
    const message = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    yield fieldError.invalid(field, schedule, message);
  } else if (timeZone !== undefined) {
    const message = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    yield fieldError.invalid(field, schedule, message);
  }
}

/** What a step of a time zone's name is made of. */
const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/;

function* checkTimeZone(field: string, zone: string | undefined): Findings {
  if (zone === undefined) return;
  if (zone === "") return yield fieldError.invalid(field, zone, "timeZone must be nil or non-empty string");
  const wrong = (part: string) => part === "." || part === ".." || part.startsWith("-") || !zonePart.test(part);
  if (zone.split("/").some(wrong)) return yield fieldError.invalid(field, zone, `unknown time zone ${zone}`);
  if (zone.toLowerCase() === "local") {
    const message = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    yield fieldError.invalid(field, zone, message);
  }
  if (zone !== "Local" && !isTimeZone(zone)) yield fieldError.invalid(field, zone, `unknown time zone ${zone}`);
}

function* checkTemplate(field: string, spec: JobSpec | undefined): Findings {
  if (spec === undefined) return;
  yield* checkJobSpecParts(field, spec);
  if (spec.selector) {
    yield fieldError.invalid(`${field}.selector`, spec.selector, "`selector` will be auto-generated");
  }
  if (spec.manualSelector) {
    yield fieldError.notSupported(`${field}.manualSelector`, spec.manualSelector, ["nil", "false"]);
  }
}
