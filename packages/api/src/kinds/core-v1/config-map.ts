import { defineResource } from "../../define-resource.ts";
import type { ConfigMap } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import { age } from "../columns.ts";

const columns: readonly Column<ConfigMap>[] = [
  {
    title: "Data",
    description: "Data contains the configuration data.",
    value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
  },
  age,
];

/** `configmaps`. */
export const ConfigMaps = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  columns,
});
