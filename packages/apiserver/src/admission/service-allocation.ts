import { Services } from "@skiff/api";
import { dropForType, keepAllocated } from "../allocation/service-fields.ts";
import type { AdmissionPlugin } from "../contracts.ts";
import { objectOf, oldObjectOf } from "./narrow.ts";

/**
 * No plugin of Kubernetes: there the registry of Services does it. Before validation sees a changed Service, what the client left
 * out and the server gave earlier comes back, and what only the old type had goes.
 */
export const serviceAllocationAdmission: AdmissionPlugin = {
  name: "ServiceAllocation",
  resources: [Services],
  handles: ({ operation, subresource }) => operation === "UPDATE" && subresource === undefined,
  admit(request) {
    const service = objectOf(request, Services);
    const old = oldObjectOf(request, Services);
    if (service?.spec === undefined || old?.spec === undefined) return;
    keepAllocated(service.spec, old.spec);
    dropForType(service, old);
  },
};
