import { isJsonObject } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { ControllerRevision } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable, checkNonNegative, type Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { controllerOf } from "../ownership.ts";

function controllerText(revision: ControllerRevision): string {
  const controller = controllerOf(revision);
  if (controller === undefined) return "<none>";
  const group = controller.apiVersion.includes("/") ? `.${controller.apiVersion.split("/")[0]}` : "";
  return `${controller.kind.toLowerCase()}${group}/${controller.name}`;
}

const columns: readonly Column<ControllerRevision>[] = [
  { title: "Controller", value: controllerText },
  { title: "Revision", value: ({ revision }) => revision ?? 0 },
  age,
];

function* checkRevision({ data, revision }: ControllerRevision, old: ControllerRevision | undefined): Findings {
  yield* checkNonNegative("revision", revision);
  if (old !== undefined) return;
  if (data === undefined || data === null) yield fieldError.required("data", "data is mandatory");
  else if (!isJsonObject(data)) yield fieldError.required("data", "data must be a valid JSON object");
}

/** `controllerrevisions.apps`. */
export const ControllerRevisions = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  columns,
  validate: (revision, old) => [...checkRevision(revision, old)],
  validateUpdate: (revision, old) => [...checkImmutable("data", revision.data, old.data)],
});
