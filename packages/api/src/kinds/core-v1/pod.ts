import { defineResource } from "../../define-resource.ts";
import type { Pod } from "../../generated/types/core-v1.ts";

/** `pods`. */
export const Pods = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
});
