import type { CustomResourceDefinition } from "@skiff/api";
import type { ConditionText } from "./conditions.ts";

/**
 * Whether a definition in one of Kubernetes' own groups says that it was agreed upon; `undefined` for all other groups.
 * https://github.com/kubernetes/enhancements/pull/1111
 */
export function approvalCondition({ spec, metadata }: CustomResourceDefinition): ConditionText | undefined {
  if (!/(?:^|\.)(?:k8s\.io|kubernetes\.io)$/.test(spec.group)) return undefined;
  const type = "KubernetesAPIApprovalPolicyConformant";
  const annotation = metadata.annotations?.["api-approved.kubernetes.io"] ?? "";
  const must = `protected groups must have approval annotation "api-approved.kubernetes.io"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (annotation === "") return { type, status: "False", reason: "MissingAnnotation", message: `${must}, ${see}` };
  if (annotation.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(annotation)}`;
    return { type, status: "False", reason: "UnapprovedAnnotation", message };
  }
  if (URL.canParse(annotation) && new URL(annotation).host !== "") {
    return { type, status: "True", reason: "ApprovedAnnotation", message: `approved in ${annotation}` };
  }
  const message = `${must} with either a URL or a reason starting with "unapproved", ${see}`;
  return { type, status: "False", reason: "InvalidAnnotation", message };
}
