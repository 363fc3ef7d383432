import { defineResource } from "../../define-resource.ts";
import { fieldError } from "../../field-error.ts";
import type { ConfigMap } from "../../generated/types/core-v1.ts";
import type { Column } from "../../resource-definition.ts";
import type { Findings } from "../../validation/checks.ts";
import { age } from "../columns.ts";
import { base64Bytes, checkDataKeys, checkSealed, dataLimitBytes } from "../data-validation.ts";

const columns: readonly Column<ConfigMap>[] = [
  {
    title: "Data",
    description: "Data contains the configuration data.",
    value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
  },
  age,
];

function* checkConfigMap({ data = {}, binaryData = {} }: ConfigMap): Findings {
  yield* checkDataKeys("data", data);
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(binaryData, key))
      yield fieldError.invalid(`data[${key}]`, key, "duplicate of key present in binaryData");
  }
  yield* checkDataKeys("binaryData", binaryData);
  const texts = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  const bytes = Object.values(binaryData).reduce((sum, value) => sum + base64Bytes(value), texts);
  // About the object as a whole: Kubernetes gives no field here.
  if (bytes > dataLimitBytes) yield fieldError.tooLong("", dataLimitBytes);
}

/** `configmaps`. */
export const ConfigMaps = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  columns,
  validate: (configMap) => [...checkConfigMap(configMap)],
  validateUpdate: (configMap, old) => [...checkSealed(configMap, old, ["data", "binaryData"])],
});
