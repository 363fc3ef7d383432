import { defineResource } from "../../define-resource.ts";
import type { IngressClass } from "../../generated/types/networking-v1.ts";

/** `ingressclasses.networking.k8s.io`. */
export const IngressClasses = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
});
