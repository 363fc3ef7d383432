import { defineResource } from "../../define-resource.ts";
import type { IPAddress } from "../../generated/types/networking-v1.ts";

/** `ipaddresses.networking.k8s.io`. */
export const IPAddresses = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
});
