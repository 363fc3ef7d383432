import { defineResource } from "../../define-resource.ts";
import type { CustomResourceDefinition } from "../../generated/types/apiextensions-v1.ts";

/** `customresourcedefinitions.apiextensions.k8s.io`. */
export const CustomResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
});
