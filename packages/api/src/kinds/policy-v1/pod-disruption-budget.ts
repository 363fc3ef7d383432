import { defineResource } from "../../define-resource.ts";
import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { checkBudget, checkBudgetStatus } from "./pod-disruption-budget-validation.ts";

const columns: readonly Column<PodDisruptionBudget>[] = [
  { title: "Min Available", value: ({ spec }) => String(spec.minAvailable ?? "N/A") },
  { title: "Max Unavailable", value: ({ spec }) => String(spec.maxUnavailable ?? "N/A") },
  { title: "Allowed Disruptions", type: "integer", value: ({ status }) => status?.disruptionsAllowed ?? 0 },
  age,
];

/** `poddisruptionbudgets.policy`. */
export const PodDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  emptyStatus: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  columns,
  defaults: (budget) => {
    if (!budget.spec) Reflect.set(budget, "spec", {});
  },
  validate: (budget) => [...checkBudget(budget)],
  validateStatusUpdate: (budget) => [...checkBudgetStatus(budget)],
});
