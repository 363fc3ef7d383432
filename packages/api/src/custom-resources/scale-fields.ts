import type { JsonObject } from "@skiff/base";
import { type FieldError, fieldError } from "../field-error.ts";
import type { ScalePaths } from "../resource-definition.ts";
import { simplePath, valueAt } from "./custom-columns.ts";

const mostReplicas = 2 ** 31 - 1;

/** Findings in the numbers that a custom resource's `/scale` shows. */
export function* scaleFindings(object: JsonObject, scale: ScalePaths): Iterable<FieldError> {
  for (const path of [scale.specReplicasPath, scale.statusReplicasPath]) {
    const steps = simplePath(path);
    const field = steps.join(".");
    const value = valueAt(object, steps);
    if (typeof value !== "number") continue;
    if (value < 0) yield fieldError.invalid(field, value, "should be a non-negative integer");
    if (value > mostReplicas) {
      yield fieldError.invalid(field, value, `should be less than or equal to ${mostReplicas}`);
    }
  }
}
