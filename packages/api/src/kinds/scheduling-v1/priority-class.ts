import { defineResource } from "../../define-resource.ts";
import type { PriorityClass } from "../../generated/types/scheduling-v1.ts";

/** `priorityclasses.scheduling.k8s.io`. */
export const PriorityClasses = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
});
