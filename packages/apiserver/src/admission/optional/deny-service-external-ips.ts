import { Services } from "@skiff/api";
import type { AdmissionPlugin } from "../../contracts.ts";
import { objectOf, oldObjectOf, refused } from "../narrow.ts";

/** Lets nobody add external addresses to a Service: with them traffic to any address could be caught. */
export const denyServiceExternalIPs: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",
  resources: [Services],
  handles: ({ operation, subresource }) =>
    (operation === "CREATE" || operation === "UPDATE") && subresource === undefined,
  validate(request) {
    const before = new Set(oldObjectOf(request, Services)?.spec?.externalIPs ?? []);
    const added = (objectOf(request, Services)?.spec?.externalIPs ?? []).filter((address) => !before.has(address));
    if (added.length > 0) throw refused(request, "Use of external IPs is denied by admission control");
  },
};
