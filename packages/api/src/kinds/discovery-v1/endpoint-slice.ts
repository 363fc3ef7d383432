import { defineResource } from "../../define-resource.ts";
import type { EndpointSlice } from "../../generated/types/discovery-v1.ts";

/** `endpointslices.discovery.k8s.io`. */
export const EndpointSlices = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
});
