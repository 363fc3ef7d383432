import { defineResource } from "../../define-resource.ts";
import type { ServiceCIDR } from "../../generated/types/networking-v1.ts";

/** `servicecidrs.networking.k8s.io`. */
export const ServiceCIDRs = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
});
