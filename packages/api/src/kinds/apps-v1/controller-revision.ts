import { defineResource } from "../../define-resource.ts";
import type { ControllerRevision } from "../../generated/types/apps-v1.ts";

/** `controllerrevisions.apps`. */
export const ControllerRevisions = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
});
