import type { CustomResourceDefinition } from "../../generated/types/apiextensions-v1.ts";

/** Whether a definition in one of Kubernetes' own groups says that it was agreed upon. */
export interface ApiApproval {
  /** As given; empty where it is missing. */
  readonly annotation: string;
  /** Approved, or openly not. */
  readonly isSound: boolean;
  readonly approved: boolean;
  readonly reason: string;
  readonly message: string;
}

/** `undefined` for groups that are not Kubernetes' own. https://github.com/kubernetes/enhancements/pull/1111 */
export function approvalOf({ spec, metadata }: CustomResourceDefinition): ApiApproval | undefined {
  if (!/(?:^|\.)(?:k8s\.io|kubernetes\.io)$/.test(spec?.group ?? "")) return undefined;
  const annotation = metadata.annotations?.["api-approved.kubernetes.io"] ?? "";
  const must = `protected groups must have approval annotation "api-approved.kubernetes.io"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  const unsound = { annotation, isSound: false, approved: false };
  if (annotation === "") return { ...unsound, reason: "MissingAnnotation", message: `${must}, ${see}` };
  if (annotation.startsWith("unapproved")) {
    const message = `not approved: ${JSON.stringify(annotation)}`;
    return { annotation, isSound: true, approved: false, reason: "UnapprovedAnnotation", message };
  }
  if (URL.canParse(annotation) && new URL(annotation).host !== "") {
    const message = `approved in ${annotation}`;
    return { annotation, isSound: true, approved: true, reason: "ApprovedAnnotation", message };
  }
  const message = `${must} with either a URL or a reason starting with "unapproved", ${see}`;
  return { ...unsound, reason: "InvalidAnnotation", message };
}
