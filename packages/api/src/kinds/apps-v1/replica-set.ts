import { defineResource } from "../../define-resource.ts";
import type { ReplicaSet } from "../../generated/types/apps-v1.ts";

/** `replicasets.apps`. */
export const ReplicaSets = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
});
