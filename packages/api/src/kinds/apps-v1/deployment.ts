import { defineResource } from "../../define-resource.ts";
import type { Deployment } from "../../generated/types/apps-v1.ts";

/** `deployments.apps`. */
export const Deployments = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
});
