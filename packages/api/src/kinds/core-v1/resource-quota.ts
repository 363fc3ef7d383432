import { defineResource } from "../../define-resource.ts";
import type { ResourceQuota } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { checkQuotaSpec, checkQuotaStatus, checkQuotaUpdate } from "./quota-validation.ts";

function usedText({ status }: ResourceQuota, limits: boolean): string {
  const names = Object.keys(status?.hard ?? {}).filter((name) => name.startsWith("limits.") === limits);
  return names
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
    .join(", ");
}

const columns: readonly Column<ResourceQuota>[] = [
  {
    title: "Request",
    description: "Request represents a minimum amount of cpu/memory that a container may consume.",
    value: (quota) => usedText(quota, false),
  },
  {
    title: "Limit",
    description:
      "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.",
    value: (quota) => usedText(quota, true),
  },
  age,
];

/** `resourcequotas`. */
export const ResourceQuotas = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  generation: "none",
  columns,
  defaults: (quota) => {
    if (!quota.spec) Reflect.set(quota, "spec", {});
  },
  validate: ({ spec }) => [...checkQuotaSpec("spec", spec)],
  validateUpdate: (quota, old) => [...checkQuotaUpdate(quota, old)],
  validateStatusUpdate: (quota) => [...checkQuotaStatus(quota)],
});
