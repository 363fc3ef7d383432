import { jsonEqual } from "@skiff/base";
import { defineResource, keepField } from "../../define-resource.ts";
import type { Deployment, DeploymentSpec } from "../../generated/types/apps-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { checkImmutable } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { defaultPodTemplate } from "../core-v1/pod-defaults.ts";
import { selectorColumn, templateColumns } from "../workload-columns.ts";
import { workloadWarnings } from "../workload-warnings.ts";
import { checkDeployment, checkDeploymentStatusUpdate } from "./deployment-validation.ts";

const columns: readonly Column<Deployment>[] = [
  {
    title: "Ready",
    description: "Number of the pod with ready state",
    value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
  },
  {
    title: "Up-to-date",
    description:
      "Total number of non-terminating pods targeted by this deployment that have the desired template spec.",
    value: ({ status }) => status?.updatedReplicas ?? 0,
  },
  {
    title: "Available",
    description:
      "Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.",
    value: ({ status }) => status?.availableReplicas ?? 0,
  },
  age,
  ...templateColumns<Deployment>(({ spec }) => spec.template),
  selectorColumn<Deployment>(
    "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment.",
    ({ spec }) => spec.selector,
  ),
];

function defaultStrategy(spec: DeploymentSpec): void {
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type !== "RollingUpdate") return;
  spec.strategy.rollingUpdate ??= {};
  spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
  spec.strategy.rollingUpdate.maxSurge ??= "25%";
}

/** `deployments.apps`. */
export const Deployments = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  columns,
  defaults(deployment) {
    if (!deployment.spec) Reflect.set(deployment, "spec", {});
    const { spec } = deployment;
    spec.replicas ??= 1;
    defaultStrategy(spec);
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
  },
  prepareStatusUpdate(deployment, old) {
    keepField(deployment.metadata, old.metadata, "labels");
  },
  warnings: workloadWarnings<Deployment>("spec.template", ({ spec }) => spec.template),
  validate: (deployment) => [...checkDeployment(deployment)],
  validateUpdate: ({ spec }, old) => [...checkImmutable("spec.selector", spec.selector, old.spec.selector)],
  validateStatusUpdate: (deployment, old) => [...checkDeploymentStatusUpdate(deployment, old)],
  // Annotations count as well: controllers copy them to ReplicaSets.
  changesGeneration: (deployment, old) =>
    !jsonEqual(deployment.spec, old.spec) || !jsonEqual(deployment.metadata.annotations, old.metadata.annotations),
});
