import { defineResource } from "../../define-resource.ts";
import type { APIService } from "../../generated/types/apiregistration-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { pathSegmentName } from "../../validation/names.ts";
import { age } from "../columns.ts";

function availableText({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}

const columns: readonly Column<APIService>[] = [
  {
    title: "Service",
    description: "The reference to the service that hosts this API endpoint.",
    value: ({ spec }) => (spec.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"),
  },
  { title: "Available", description: "Whether this service is available.", value: availableText },
  age,
];

/** `apiservices.apiregistration.k8s.io`. */
export const APIServices = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  generation: "none",
  columns,
  validateName: pathSegmentName,
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
});
