import { defineResource } from "../../define-resource.ts";
import type { SubjectAccessReview } from "../../generated/types/authorization-v1.ts";

/** `subjectaccessreviews.authorization.k8s.io`: may somebody do something? Answered, not stored. */
export const SubjectAccessReviews = defineResource<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
});
