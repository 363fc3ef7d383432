import { defineResource } from "../../define-resource.ts";
import type { PodDisruptionBudget } from "../../generated/types/policy-v1.ts";

/** `poddisruptionbudgets.policy`. */
export const PodDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
});
