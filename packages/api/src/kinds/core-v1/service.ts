import { defineResource } from "../../define-resource.ts";
import type { Service } from "../../generated/types/core-v1.ts";

/** `services`. */
export const Services = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
});
