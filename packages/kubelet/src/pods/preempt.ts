import { asMillis, asUnits, type Pod, podRequests, type QosClass } from "@skiff/api";
import { isCritical } from "../eviction/rank.ts";
import { qosClass } from "./qos.ts";

/** How much of a resource is lacking. CPU in thousandths. */
export interface Shortage {
  readonly resource: string;
  readonly amount: number;
}

/** A quantity as a number. CPU in thousandths. */
export const amountOf = (resource: string, text: string | undefined): number =>
  text === undefined ? 0 : resource === "cpu" ? asMillis(text) : asUnits(text);

/** What a pod asks for of one resource, all in all. CPU in thousandths; each pod is one of `pods`. */
export const podRequest = (pod: Pod, resource: string): number =>
  resource === "pods" ? 1 : amountOf(resource, podRequests(pod)[resource]);

/** What is still lacking once some pods are gone. */
const without = (shortages: readonly Shortage[], pods: readonly Pod[]): readonly Shortage[] =>
  shortages.flatMap(({ resource, amount }) => {
    const left = pods.reduce((sum, pod) => sum - podRequest(pod, resource), amount);
    return left > 0 ? [{ resource, amount: left }] : [];
  });

/** How far a pod's end is from making up for what is lacking; each resource counts alike. */
const distance = (shortages: readonly Shortage[], pod: Pod): number =>
  shortages.reduce((sum, { resource, amount }) => {
    const left = Math.max(0, amount - podRequest(pod, resource));
    return sum + (left / amount) ** 2;
  }, 0);

const smaller = (a: Pod, b: Pod): boolean => {
  for (const resource of ["memory", "cpu"]) {
    const difference = podRequest(a, resource) - podRequest(b, resource);
    if (difference !== 0) return difference < 0;
  }
  return true;
};

/** As few pods as will do, the nearest first; of two that are equally near, the smaller. */
function nearest(pods: readonly Pod[], shortages: readonly Shortage[]): readonly Pod[] {
  const left = [...pods];
  const chosen: Pod[] = [];
  for (let lacking = shortages; lacking.length > 0; lacking = without(lacking, chosen.slice(-1))) {
    let [best] = left;
    if (best === undefined) break;
    for (const pod of left.slice(1)) {
      const difference = distance(lacking, pod) - distance(lacking, best);
      if (difference < 0 || (difference === 0 && smaller(pod, best))) best = pod;
    }
    left.splice(left.indexOf(best), 1);
    chosen.push(best);
  }
  return chosen;
}

const isPreemptable = (pod: Pod, by: Pod): boolean =>
  (isCritical(by) && !isCritical(pod)) || (by.spec.priority ?? 0) > (pod.spec.priority ?? 0);

/**
 * The pods that have to go so that a critical one fits; `undefined` where no choice of them would do. Guaranteed pods go only for
 * what all others cannot give, burstable ones for what is lacking then, and best-effort ones last of all are spared.
 */
export function podsToPreempt(
  pod: Pod,
  others: readonly Pod[],
  shortages: readonly Shortage[],
): readonly Pod[] | undefined {
  const candidates = others.filter((one) => isPreemptable(one, pod));
  if (without(shortages, candidates).length > 0) return undefined;
  const of = (qos: QosClass) => candidates.filter((one) => qosClass(one) === qos);
  const [bestEffort, burstable] = [of("BestEffort"), of("Burstable")];
  const guaranteedVictims = nearest(of("Guaranteed"), without(shortages, [...bestEffort, ...burstable]));
  const burstableVictims = nearest(burstable, without(shortages, [...bestEffort, ...guaranteedVictims]));
  const bestEffortVictims = nearest(bestEffort, without(shortages, [...burstableVictims, ...guaranteedVictims]));
  return [...bestEffortVictims, ...burstableVictims, ...guaranteedVictims];
}
