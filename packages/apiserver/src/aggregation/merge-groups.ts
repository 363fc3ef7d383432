import type { APIService } from "@skiff/api";
import type { AggregatedService } from "./aggregated-service.ts";

/** A group with its versions, the preferred one first. */
export interface GroupVersions {
  readonly group: string;
  readonly versions: readonly { readonly version: string }[];
}

/** A place in an order that is given, for something with a priority: before the first whose priority is lower. */
function insert<T>(into: T[], item: T, priority: number, priorityOf: (item: T) => number): void {
  const at = into.findIndex((other) => priorityOf(other) < priority);
  if (at === -1) into.push(item);
  else into.splice(at, 0, item);
}

/**
 * The groups that are served here with those that other servers answer among them, where the priorities of their APIServices
 * put them. What has no APIService keeps its place.
 */
export function mergeGroups<Group extends GroupVersions>(
  local: readonly Group[],
  remote: Iterable<AggregatedService>,
  all: readonly APIService[],
): readonly GroupVersions[] {
  const groupPriority = new Map<string, number>();
  const versionPriority = new Map<string, number>();
  for (const { spec } of all) {
    const { group = "", version = "", groupPriorityMinimum } = spec;
    groupPriority.set(group, Math.max(groupPriority.get(group) ?? 0, groupPriorityMinimum));
    versionPriority.set(`${group}/${version}`, spec.versionPriority);
  }
  const ofGroup = ({ group }: GroupVersions) => groupPriority.get(group) ?? Number.POSITIVE_INFINITY;
  const merged: GroupVersions[] = [...local];
  for (const { group, version } of remote) {
    const at = merged.findIndex((item) => item.group === group);
    const [before] = at === -1 ? [] : merged.splice(at, 1);
    const versions = [...(before?.versions ?? [])].filter((item) => item.version !== version);
    const ofVersion = (item: { readonly version: string }) => versionPriority.get(`${group}/${item.version}`) ?? 0;
    insert(versions, { version }, ofVersion({ version }), ofVersion);
    if (at === -1) insert(merged, { group, versions }, ofGroup({ group, versions }), ofGroup);
    else merged.splice(at, 0, { group, versions });
  }
  return merged;
}
