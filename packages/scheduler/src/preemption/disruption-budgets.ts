import type { Pod, PodDisruptionBudget } from "@skiff/api";
import { selectorOf } from "../topology/pod-terms.ts";

/** Splits pods into those whose end a budget does not allow and the others, in the order given. */
export function splitByBudgets(
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly Pod[]; readonly allowed: readonly Pod[] } {
  const left = budgets.map((budget) => ({
    budget,
    selector: selectorOf(budget.spec.selector),
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }));
  const violating: Pod[] = [];
  const allowed: Pod[] = [];
  for (const pod of pods) {
    const { name, namespace, labels = {} } = pod.metadata;
    let violates = false;
    for (const one of left) {
      const { budget, selector } = one;
      const meant =
        budget.metadata.namespace === namespace &&
        selector.requirements.length > 0 &&
        Object.keys(labels).length > 0 &&
        selector.matches(labels);
      // A pod that is counted as disrupted already has been taken off the budget.
      if (!meant || name in (budget.status?.disruptedPods ?? {})) continue;
      one.allowed--;
      if (one.allowed < 0) violates = true;
    }
    (violates ? violating : allowed).push(pod);
  }
  return { violating, allowed };
}
