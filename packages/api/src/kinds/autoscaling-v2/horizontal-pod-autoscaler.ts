import { defineResource } from "../../define-resource.ts";
import type { HorizontalPodAutoscaler } from "../../generated/types/autoscaling-v2.ts";

/** `horizontalpodautoscalers.autoscaling`. */
export const HorizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
});
