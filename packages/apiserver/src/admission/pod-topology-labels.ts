import { type KubeObject, Nodes, Pods } from "@skiff/api";
import { isJsonObject } from "@skiff/base";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";

const labels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] as const;

const member = (value: unknown, field: string): unknown => (isJsonObject(value) ? value[field] : undefined);

/** The node that a pod is put on: by a binding, or from its beginning. */
function nodeOf({ object, subresource }: AdmissionRequest): string {
  const name =
    subresource === "binding" ? member(member(object, "target"), "name") : member(member(object, "spec"), "nodeName");
  return typeof name === "string" ? name : "";
}

function label(object: KubeObject, given: Readonly<Record<string, string>>): void {
  const taken = labels.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  if (taken.length > 0) object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(taken) };
}

/** Pods learn from labels of their own in which zone and region they are. */
export const podTopologyLabels = (table: ResourceTable): AdmissionPlugin => ({
  name: "PodTopologyLabels",
  resources: [Pods],
  handles: ({ operation, subresource }) =>
    operation === "CREATE" && (subresource === undefined || subresource === "binding"),
  admit(request) {
    const name = nodeOf(request);
    if (request.object === undefined || name === "") return;
    const node = table.of(Nodes).peek({ name });
    if (node?.metadata.labels !== undefined) label(request.object, node.metadata.labels);
  },
});
