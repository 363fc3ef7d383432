import { defineResource } from "../../define-resource.ts";
import type { StatefulSet } from "../../generated/types/apps-v1.ts";

/** `statefulsets.apps`. */
export const StatefulSets = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
});
