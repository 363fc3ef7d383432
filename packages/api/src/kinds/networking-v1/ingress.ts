import { defineResource } from "../../define-resource.ts";
import type { Ingress } from "../../generated/types/networking-v1.ts";

/** `ingresses.networking.k8s.io`. */
export const Ingresses = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
});
