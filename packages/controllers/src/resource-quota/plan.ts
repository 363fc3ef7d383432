import {
  addAmounts,
  compareQuantities,
  type KubeObject,
  type QuotaSources,
  quotaEvaluator,
  quotaUsage,
  type ResourceAmounts,
  type ResourceDefinition,
  type ResourceQuota,
  type ResourceQuotaStatus,
  sameAmounts,
} from "@skiff/api";

/** A resource whose objects count, and those of them that are in the quota's namespace. */
export interface Countable {
  readonly resource: ResourceDefinition;
  readonly objects: readonly KubeObject[];
}

/** Whether a quota limits anything that objects of a resource use. */
export const isLimited = ({ spec }: ResourceQuota, resource: ResourceDefinition, sources: QuotaSources): boolean => {
  const evaluator = quotaEvaluator(resource, sources);
  return Object.keys(spec?.hard ?? {}).some((name) => evaluator.counts(name));
};

/** What a quota's status should say. Resources that nothing counts have a limit, but no usage. */
export function quotaStatus(
  quota: ResourceQuota,
  countables: readonly Countable[],
  { nowMs, sources }: { readonly nowMs: number; readonly sources: QuotaSources },
): { readonly hard: ResourceAmounts; readonly used: ResourceAmounts } {
  const hard = quota.spec?.hard ?? {};
  const names = Object.keys(hard);
  let used: ResourceAmounts = {};
  for (const { resource, objects } of countables) {
    const evaluator = quotaEvaluator(resource, sources);
    used = addAmounts(used, quotaUsage({ quota, names, evaluator }, objects, nowMs));
  }
  return { hard: { ...hard }, used };
}

/** What to do about a quota's status. */
export type QuotaAction = "nothing" | "write" | "wait";

/**
 * Less usage than the status tells of is either a deletion, or an object that was admitted and is about to be stored: unless
 * it is known to be the former, it is waited until the quota has been left alone for a while.
 */
export function quotaAction(
  status: ResourceQuotaStatus | undefined,
  wanted: { readonly hard: ResourceAmounts; readonly used: ResourceAmounts },
  known: { readonly released: boolean; readonly quiet: boolean },
): QuotaAction {
  const { hard, used } = status ?? {};
  if (hard === undefined || used === undefined || !sameAmounts(hard, wanted.hard)) return "write";
  if (sameAmounts(used, wanted.used)) return "nothing";
  const less = Object.entries(wanted.used).some(([name, amount]) => {
    const told = used[name];
    return told !== undefined && compareQuantities(amount, told) < 0;
  });
  return !less || known.released || known.quiet ? "write" : "wait";
}
