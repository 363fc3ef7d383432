import type { Check, Subject, Violation } from "./check.ts";
import { hostChecks } from "./host-checks.ts";
import { privilegeChecks } from "./privilege-checks.ts";
import { profileChecks } from "./profile-checks.ts";

/** The three standards, the laxest first. */
export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** A standard as it was in a version of Kubernetes. */
export interface Standard {
  readonly level: Level;
  /** Minor version of Kubernetes 1, or the newest. */
  readonly version: number | "latest";
}

/** `restricted:latest`, `baseline:v1.25`. */
export const standardText = ({ level, version }: Standard): string =>
  `${level}:${version === "latest" ? version : `v1.${version}`}`;

const byId = (a: Check, b: Check): number => (a.id < b.id ? -1 : 1);
const all: readonly Check[] = [...hostChecks, ...privilegeChecks, ...profileChecks].sort(byId);

type Judge = (subject: Subject) => Violation | undefined;
const prepared = new Map<string, readonly Judge[]>();

/** The controls of a standard, those of the baseline first. */
function judgesOf(standard: Standard): readonly Judge[] {
  const key = standardText(standard);
  const known = prepared.get(key);
  if (known !== undefined) return known;
  const version = standard.version === "latest" ? Number.POSITIVE_INFINITY : standard.version;
  const valid = all.flatMap((check) => {
    const newest = check.versions.findLast(({ since }) => since <= version);
    const meant = check.level === "baseline" || standard.level === "restricted";
    return newest === undefined || !meant ? [] : [{ check, judge: newest.judge }];
  });
  const overridden = new Set(valid.flatMap(({ check }) => check.overrides ?? []));
  const kept = valid.filter(({ check }) => !overridden.has(check.id));
  const made = [
    ...kept.filter(({ check }) => check.level === "baseline"),
    ...kept.filter(({ check }) => check.level === "restricted"),
  ].map(({ judge }) => judge);
  // Labels name any version: those beyond the last change are all alike, but each has a name of its own.
  if (prepared.size < 200) prepared.set(key, made);
  return made;
}

/** What is wrong with a pod by a standard; nothing by the privileged one. */
export const violations = (standard: Standard, subject: Subject): readonly Violation[] =>
  standard.level === "privileged" ? [] : judgesOf(standard).flatMap((judge) => judge(subject) ?? []);

/** `privileged (container "a" …), hostPort (…)`. */
export const violationsText = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");

/** `privileged, hostPort`. */
export const reasonsText = (found: readonly Violation[]): string => found.map(({ reason }) => reason).join(", ");
