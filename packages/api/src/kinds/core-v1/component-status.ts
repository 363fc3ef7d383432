import { defineResource } from "../../define-resource.ts";
import type { ComponentStatus } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";

const healthOf = ({ conditions = [] }: ComponentStatus) => conditions.find(({ type }) => type === "Healthy");

function statusText(status: ComponentStatus): string {
  const health = healthOf(status)?.status;
  if (health === "True") return "Healthy";
  return health === "False" ? "Unhealthy" : "Unknown";
}

const columns: readonly Column<ComponentStatus>[] = [
  { title: "Status", description: "Status of the component conditions", value: statusText },
  {
    title: "Message",
    description: "Message of the component conditions",
    value: (status) => healthOf(status)?.message ?? "",
  },
  {
    title: "Error",
    description: "Error of the component conditions",
    value: (status) => healthOf(status)?.error ?? "",
  },
];

/** `componentstatuses`. */
export const ComponentStatuses = defineResource<ComponentStatus>({
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  plural: "componentstatuses",
  columns,
  deprecationWarning: "v1 ComponentStatus is deprecated in v1.19+",
});
