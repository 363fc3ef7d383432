import { defineResource } from "../../define-resource.ts";
import type { LimitRange } from "../../generated/types/core-v1.ts";

/** `limitranges`. */
export const LimitRanges = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
});
