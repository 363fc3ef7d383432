import { defineResource } from "../../define-resource.ts";
import type { ConfigMap } from "../../generated/types/core-v1.ts";

/** `configmaps`. */
export const ConfigMaps = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
});
