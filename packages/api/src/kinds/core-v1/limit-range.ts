import { defineResource } from "../../define-resource.ts";
import type { LimitRange, LimitRangeItem } from "../../generated/types/core-v1.ts";
import { checkLimitRange } from "./limit-range-validation.ts";

/** For containers, limits that are not given follow from the maximum, requests from limits and then from the minimum. */
function defaultItem(item: LimitRangeItem): void {
  if (item.type !== "Container") return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  for (const field of ["default", "defaultRequest"] as const) {
    if (Object.keys(item[field] ?? {}).length === 0) delete item[field];
  }
}

/** `limitranges`. */
export const LimitRanges = defineResource<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  defaults: ({ spec }) => spec?.limits?.forEach(defaultItem),
  validate: (range) => [...checkLimitRange(range)],
});
