import { controllerOf, type Pod } from "@skiff/api";
import { reasonsText, type Standard, standardText, violations } from "./standard.ts";

/** So many pods are looked at when a namespace becomes stricter. */
const podLimit = 3000;

/** What to tell whoever makes a namespace stricter: which of its pods would not be let in any more. */
export function existingPodWarnings(
  namespace: string,
  standard: Standard,
  pods: readonly Pod[],
  isExempt: (pod: Pod) => boolean,
): readonly string[] {
  const checked = differentFirst(pods).slice(0, podLimit);
  const found = new Map<string, { readonly pod: string; count: number }>();
  for (const pod of checked) {
    if (isExempt(pod)) continue;
    const wrong = violations(standard, pod);
    if (wrong.length === 0) continue;
    const text = reasonsText(wrong);
    const known = found.get(text);
    if (known === undefined) found.set(text, { pod: pod.metadata.name, count: 1 });
    else known.count++;
  }
  const all = pods.length;
  const incomplete = `new PodSecurity enforce level only checked against the first ${checked.length} of ${all} existing pods`;
  const violated = `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(standardText(standard))}`;
  return [
    ...(checked.length < all ? [incomplete] : []),
    ...(found.size > 0 ? [violated] : []),
    ...[...found].map(([text, { pod, count }]) => `${pod}${othersText(count - 1)}: ${text}`).sort(),
  ];
}

const othersText = (others: number): string =>
  others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;

/** Pods of one controller are alike: one of each comes before their likes. */
function differentFirst(pods: readonly Pod[]): readonly Pod[] {
  const seen = new Set<string>();
  const others: Pod[] = [];
  const first = pods.filter((pod) => {
    const uid = controllerOf(pod)?.uid;
    if (uid === undefined || !seen.has(uid)) {
      if (uid !== undefined) seen.add(uid);
      return true;
    }
    others.push(pod);
    return false;
  });
  return [...first, ...others];
}
