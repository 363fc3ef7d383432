import { defineResource } from "../../define-resource.ts";
import type { DaemonSet } from "../../generated/types/apps-v1.ts";

/** `daemonsets.apps`. */
export const DaemonSets = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
});
