import { jsonEqual } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { PodTemplate } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { formatLabels } from "../columns.ts";
import { templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { defaultPodTemplate } from "./pod-defaults.ts";
import { checkPodTemplate } from "./pod-validation.ts";

const podLabels: Column<PodTemplate> = {
  title: "Pod Labels",
  description: "The labels for the pod template.",
  value: ({ template }) => formatLabels(template?.metadata?.labels),
};

/** `podtemplates`. */
export const PodTemplates = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  generation: "created",
  columns: [...templateColumns<PodTemplate>(({ template }) => template, 0), podLabels],
  defaults(podTemplate) {
    podTemplate.template ??= {};
    defaultPodTemplate(podTemplate.template);
  },
  changesGeneration: (podTemplate, old) => !jsonEqual(podTemplate.template, old.template),
  warnings: workloadWarnings<PodTemplate>("template", ({ template }) => template, { named: false }),
  validate: ({ template = {} }) => [...checkPodTemplate("template", template)],
});
