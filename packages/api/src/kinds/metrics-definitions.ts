/** The kinds of `metrics.k8s.io`: no part of the published API, since another project keeps it. */
import type { DescribedResource } from "../resource-definition.ts";
import type { DefinitionNotation } from "../schema/notation.ts";

const place = "io.k8s.metrics.pkg.apis.metrics.v1beta1";
const ofEach = { apiVersion: "string", kind: "string", metadata: "@meta.v1.ObjectMeta" };
const measured = { ...ofEach, timestamp: "time", window: "string" };

const listOf = (kind: string): DefinitionNotation => ({
  name: `${place}.${kind}List`,
  fields: { ...ofEach, metadata: "@meta.v1.ListMeta", items: `[]@metrics.v1beta1.${kind}` },
  required: ["items"],
});

/** Their definitions by short name. */
export const metricsDefinitions: Readonly<Record<string, DefinitionNotation>> = {
  "metrics.v1beta1.ContainerMetrics": {
    name: `${place}.ContainerMetrics`,
    fields: { name: "string", usage: "{}quantity" },
    required: ["name", "usage"],
  },
  "metrics.v1beta1.NodeMetrics": {
    name: `${place}.NodeMetrics`,
    fields: { ...measured, usage: "{}quantity" },
    required: ["timestamp", "window", "usage"],
  },
  "metrics.v1beta1.NodeMetricsList": listOf("NodeMetrics"),
  "metrics.v1beta1.PodMetrics": {
    name: `${place}.PodMetrics`,
    fields: { ...measured, containers: "[]@metrics.v1beta1.ContainerMetrics" },
    required: ["timestamp", "window", "containers"],
  },
  "metrics.v1beta1.PodMetricsList": listOf("PodMetrics"),
};

const resource = (plural: string, kind: string, scope: DescribedResource["scope"]): DescribedResource => ({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind,
  listKind: `${kind}List`,
  plural,
  scope,
  actions: ["get", "list"],
  subresources: [],
  schema: `metrics.v1beta1.${kind}`,
  selectableFields: [],
});

/** The resources of the metrics API, as the published documents tell of them. */
export const metricsResources: readonly DescribedResource[] = [
  resource("nodes", "NodeMetrics", "cluster"),
  resource("pods", "PodMetrics", "namespaced"),
];
