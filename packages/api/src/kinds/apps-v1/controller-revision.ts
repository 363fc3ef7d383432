import { defineResource } from "../../define-resource.ts";
import type { ControllerRevision } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable } from "../../validation/checks.ts";
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

/** `controllerrevisions.apps`. */
export const ControllerRevisions = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  columns,
  validateUpdate: (revision, old) => [...checkImmutable("data", revision.data, old.data)],
});
