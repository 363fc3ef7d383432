import { defineResource } from "../../define-resource.ts";
import type { Namespace } from "../../generated/types/core-v1.ts";

/** `namespaces`. */
export const Namespaces = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
});
