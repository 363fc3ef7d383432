import { defineResource } from "../../define-resource.ts";
import type { PodTemplate } from "../../generated/types/core-v1.ts";

/** `podtemplates`. */
export const PodTemplates = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
});
