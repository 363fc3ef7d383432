import { approvalOf, type CustomResourceDefinition } from "@skiff/api";
import type { ConditionText } from "./conditions.ts";

/** The condition that tells of a definition in one of Kubernetes' own groups; `undefined` for all other groups. */
export function approvalCondition(definition: CustomResourceDefinition): ConditionText | undefined {
  const approval = approvalOf(definition);
  if (approval === undefined) return undefined;
  const { approved, reason, message } = approval;
  return { type: "KubernetesAPIApprovalPolicyConformant", status: approved ? "True" : "False", reason, message };
}
