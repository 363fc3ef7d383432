import { defineResource } from "../../define-resource.ts";
import type { ResourceQuota } from "../../generated/types/core-v1.ts";

/** `resourcequotas`. */
export const ResourceQuotas = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
});
