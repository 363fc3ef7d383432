import { defineResource } from "../../define-resource.ts";
import type { ReplicationController } from "../../generated/types/core-v1.ts";

/** `replicationcontrollers`. */
export const ReplicationControllers = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
});
