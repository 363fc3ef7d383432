import type { ResourceQuota } from "../generated/types/core-v1.ts";
import type { ResourceAmounts } from "../kinds/pod-requests.ts";
import type { KubeObject } from "../object.ts";
import { formatQuantity, parseQuantity, type Quantity } from "../quantity.ts";
import { claimQuota } from "./claim-quota.ts";
import { objectCounter, type QuotaEvaluator, type QuotaSources, scopesOf } from "./evaluator.ts";
import { podQuota } from "./pod-quota.ts";
import { resourceClaimQuota } from "./resource-claim-quota.ts";
import { serviceQuota } from "./service-quota.ts";

const special: readonly QuotaEvaluator[] = [podQuota, serviceQuota, claimQuota];

/** How objects of a resource count for quotas. Most are only counted. */
export function quotaEvaluator(
  place: { readonly group: string; readonly plural: string },
  sources: QuotaSources,
): QuotaEvaluator {
  const isThat = ({ group, plural }: QuotaEvaluator) => group === place.group && plural === place.plural;
  return special.find(isThat) ?? [resourceClaimQuota(sources)].find(isThat) ?? objectCounter(place);
}

/** Whether an object counts for a quota: for one of its resources, and in all of its scopes. */
export const countsFor = (quota: ResourceQuota, evaluator: QuotaEvaluator, object: KubeObject): boolean =>
  Object.keys(quota.status?.hard ?? {}).some((name) => evaluator.counts(name)) && inScopes(quota, evaluator, object);

const inScopes = ({ spec }: ResourceQuota, evaluator: QuotaEvaluator, object: KubeObject): boolean =>
  scopesOf(spec).every((scope) => evaluator.inScope(scope, object));

/**
 * What objects use of the resources `names` that a quota limits: zero where none does. Resources that the evaluator does
 * not count are left out.
 */
export function quotaUsage(
  of: { readonly quota: ResourceQuota; readonly names: readonly string[]; readonly evaluator: QuotaEvaluator },
  objects: Iterable<KubeObject>,
  nowMs: number,
): ResourceAmounts {
  const { quota, evaluator } = of;
  const names = of.names.filter((name) => evaluator.counts(name));
  if (names.length === 0) return {};
  const totals = names.map((name) => ({ name, sum: new QuantitySum() }));
  for (const object of objects) {
    if (!inScopes(quota, evaluator, object)) continue;
    const usage = usageOf(evaluator, object, nowMs);
    for (const { name, sum } of totals) sum.add(usage[name]);
  }
  return Object.fromEntries(totals.map(({ name, sum }) => [name, sum.text]));
}

/** Usage of objects that time does not change. They are shared and frozen, and counted again and again. */
const remembered = new WeakMap<KubeObject, ResourceAmounts>();

function usageOf(evaluator: QuotaEvaluator, object: KubeObject, nowMs: number): ResourceAmounts {
  if (evaluator.dependsOnOthers || object.metadata.deletionTimestamp !== undefined || !Object.isFrozen(object))
    return evaluator.usage(object, nowMs);
  const known = remembered.get(object);
  if (known !== undefined) return known;
  const usage = evaluator.usage(object, nowMs);
  remembered.set(object, usage);
  return usage;
}

/** Adds up many quantities, most of which are written alike, without making a text of each sum. */
class QuantitySum {
  readonly #parsed = new Map<string, Quantity>();
  #nanos = 0n;
  #format: Quantity["format"] = "decimalSI";

  add(amount: string | undefined): void {
    if (amount === undefined) return;
    let quantity = this.#parsed.get(amount);
    if (quantity === undefined) {
      quantity = parseQuantity(amount);
      this.#parsed.set(amount, quantity);
    }
    // Zero has no form of its own.
    if (this.#nanos === 0n) this.#format = quantity.format;
    this.#nanos += quantity.nanos;
  }

  get text(): string {
    return formatQuantity({ nanos: this.#nanos, format: this.#format });
  }
}
