import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { DeviceClass } from "../../generated/types/resource-v1.ts";
import type { Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { isExtendedResource } from "../core-v1/resource-validation.ts";
import { checkItems, checkOpaque, checkSelectors, most } from "./device-checks.ts";

function* checkClass({ spec }: DeviceClass): Findings {
  yield* checkSelectors("spec.selectors", spec.selectors);
  yield* checkItems("spec.config", spec.config, {
    limit: most.config,
    check: (path, { opaque }) => checkOpaque(path, opaque),
  });
  const name = spec.extendedResourceName;
  if (name === undefined || isExtendedResource(name)) return;
  yield fieldError.invalid("spec.extendedResourceName", name, "must be a valid extended resource name");
}

/** `deviceclasses.resource.k8s.io`. */
export const DeviceClasses = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  generation: "object",
  columns: [age],
  defaults(deviceClass) {
    if (!deviceClass.spec) Reflect.set(deviceClass, "spec", {});
  },
  validate: (deviceClass) => [...checkClass(deviceClass)],
});
