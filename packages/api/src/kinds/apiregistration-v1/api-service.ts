import { defineResource } from "../../define-resource.ts";
import type { APIService } from "../../generated/types/apiregistration-v1.ts";

/** `apiservices.apiregistration.k8s.io`. */
export const APIServices = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
});
