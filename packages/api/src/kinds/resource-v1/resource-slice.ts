import { timestamp } from "@skiff/base";
import { defineResource } from "../../define-resource.ts";
import type { ResourceSlice } from "../../generated/types/resource-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";
import { checkSlice, checkSliceUpdate } from "./resource-slice-validation.ts";

const columns: readonly Column<ResourceSlice>[] = [
  {
    title: "Node",
    description: "The name of the node which provides the resources if they are local resources.",
    value: ({ spec }) => spec?.nodeName ?? "",
  },
  { title: "Driver", description: "Driver name.", value: ({ spec }) => spec?.driver ?? "" },
  { title: "Pool", description: "Pool name.", value: ({ spec }) => spec?.pool?.name ?? "" },
  age,
];

/** A taint counts from when it was put there. */
function stampTaints({ spec }: ResourceSlice, nowMs: number): void {
  for (const { taints } of spec.devices ?? []) {
    for (const taint of taints ?? []) taint.timeAdded ??= timestamp(nowMs);
  }
}

/** `resourceslices.resource.k8s.io`. */
export const ResourceSlices = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceSlice",
  plural: "resourceslices",
  generation: "object",
  columns,
  selectableFields: [
    { path: "spec.driver", value: ({ spec }) => spec?.driver ?? "" },
    { path: "spec.nodeName", value: ({ spec }) => spec?.nodeName ?? "" },
  ],
  defaults(slice) {
    if (!slice.spec) Reflect.set(slice, "spec", {});
    if (!slice.spec.pool) Reflect.set(slice.spec, "pool", { name: "", generation: 0, resourceSliceCount: 0 });
  },
  prepareCreate: (slice, { nowMs }) => stampTaints(slice, nowMs),
  prepareUpdate: (slice, _old, { nowMs }) => stampTaints(slice, nowMs),
  validate: (slice) => [...checkSlice(slice)],
  validateUpdate: (slice, old) => [...checkSliceUpdate(slice, old)],
});
