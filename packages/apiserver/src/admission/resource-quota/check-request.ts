import {
  addAmounts,
  amountsText,
  compareQuantities,
  countsFor,
  exceededNames,
  excessAmounts,
  type KubeObject,
  maskAmounts,
  type QuotaEvaluator,
  type ResourceAmounts,
  type ResourceQuota,
} from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";
import { refused } from "../narrow.ts";

/** A quota, and what is used of it when all is counted that was admitted before. */
export interface RunningQuota {
  readonly quota: ResourceQuota;
  used: ResourceAmounts;
}

/** What a request adds to a quota's usage. */
export interface Charge {
  readonly running: RunningQuota;
  readonly used: ResourceAmounts;
}

/**
 * What an object that is made or changed costs of each quota that counts it; empty where nothing changes. Throws 403 where
 * it is more than there is left, or where that cannot be told.
 */
export function checkRequest(
  request: AdmissionRequest & { readonly object: KubeObject },
  evaluator: QuotaEvaluator,
  on: { readonly quotas: readonly RunningQuota[]; readonly nowMs: number },
): readonly Charge[] {
  const { object } = request;
  const concerned = on.quotas.filter(({ quota }) => countsFor(quota, evaluator, object));
  for (const running of concerned) checkCountable(request, evaluator, running);
  const usage = evaluator.usage(object, on.nowMs);
  const negative = Object.keys(usage).filter((name) => compareQuantities(usage[name] ?? "0", "0") < 0);
  if (negative.length > 0) {
    throw refused(request, `quota usage is negative for resource(s): ${negative.sort().join(",")}`);
  }
  return concerned.flatMap((running) => {
    const added = delta(request, evaluator, { running, usage, nowMs: on.nowMs });
    return added === undefined ? [] : [{ running, used: charged(request, running, added) }];
  });
}

function checkCountable(
  request: AdmissionRequest & { readonly object: KubeObject },
  evaluator: QuotaEvaluator,
  { quota, used }: RunningQuota,
): void {
  const { name } = quota.metadata;
  const names = Object.keys(quota.status?.hard ?? {}).filter((resource) => evaluator.counts(resource));
  const unmet = evaluator.unmet?.(names, request.object);
  if (unmet !== undefined) throw refused(request, `failed quota: ${name}: ${unmet}`);
  if (names.some((resource) => used[resource] === undefined)) {
    throw refused(request, `status unknown for quota: ${name}, resources: ${[...names].sort().join(",")}`);
  }
}

/** What is used beyond what was used before; `undefined` where that is nothing that the quota limits. */
function delta(
  { operation, oldObject }: AdmissionRequest,
  evaluator: QuotaEvaluator,
  on: { readonly running: RunningQuota; readonly usage: ResourceAmounts; readonly nowMs: number },
): ResourceAmounts | undefined {
  const { quota } = on.running;
  const counted = operation === "UPDATE" && oldObject !== undefined && countsFor(quota, evaluator, oldObject);
  const all = counted ? excessAmounts(on.usage, evaluator.usage(oldObject, on.nowMs)) : on.usage;
  const limited = maskAmounts(all, Object.keys(quota.status?.hard ?? {}));
  const added = Object.fromEntries(
    Object.entries(limited).filter(([, amount]) => compareQuantities(amount, "0") !== 0),
  );
  return Object.keys(added).length === 0 ? undefined : added;
}

function charged(request: AdmissionRequest, { quota, used }: RunningQuota, added: ResourceAmounts): ResourceAmounts {
  const next = addAmounts(used, added);
  if (request.subresource === "status") return next;
  const hard = quota.status?.hard ?? {};
  const exceeded = exceededNames(maskAmounts(next, Object.keys(added)), hard);
  if (exceeded.length === 0) return next;
  const shown = (amounts: ResourceAmounts) => amountsText(maskAmounts(amounts, exceeded));
  throw refused(
    request,
    `exceeded quota: ${quota.metadata.name}, requested: ${shown(added)}, used: ${shown(used)}, limited: ${shown(hard)}`,
  );
}
