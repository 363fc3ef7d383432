import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { VolumeAttributesClass } from "../../generated/types/storage-v1.ts";
import type { Column } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { checkDriver, checkParameters } from "./storage-class-validation.ts";

const columns: readonly Column<VolumeAttributesClass>[] = [
  { title: "DriverName", value: ({ driverName }) => driverName },
  age,
];

function* checkClass({ driverName, parameters }: VolumeAttributesClass): Findings {
  yield* checkDriver("driverName", driverName);
  yield* checkParameters("parameters", parameters);
  if (Object.keys(parameters ?? {}).length > 0) return;
  yield fieldError.required("parameters", "must contain at least one key/value pair");
}

function* checkUpdate({ driverName, parameters }: VolumeAttributesClass, old: VolumeAttributesClass): Findings {
  if (driverName !== old.driverName) yield fieldError.forbidden("driverName", "updates to driverName are forbidden.");
  if (jsonEqual(parameters ?? {}, old.parameters ?? {})) return;
  yield fieldError.forbidden("parameters", "updates to parameters are forbidden.");
}

/** `volumeattributesclasses.storage.k8s.io`. */
export const VolumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  columns,
  validate: (attributesClass) => [...checkClass(attributesClass)],
  validateUpdate: (attributesClass, old) => [...checkUpdate(attributesClass, old)],
});
