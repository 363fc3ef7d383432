import { ResourceClaims, ResourceClaimTemplates } from "@skiff/api";
import type { StorageTable } from "../storage/storage-table.ts";
import { allocatedAdminAccess, requestedAdminAccess } from "./admin-access.ts";

/** Has claims of devices and their templates ask for no more than their namespace is granted. */
export function checkClaimPermissions(table: StorageTable): void {
  if (table.find(ResourceClaims) !== undefined) {
    table.hook(ResourceClaims, {
      async permit({ object, old, subresource }) {
        const { namespace = "" } = object.metadata;
        if (old === undefined) return await requestedAdminAccess(object.spec.devices?.requests ?? [], namespace, table);
        if (subresource !== "status") return [];
        const [now, before] = [object, old].map(({ status }) => status?.allocation?.devices?.results ?? []);
        return await allocatedAdminAccess({ now: now ?? [], before: before ?? [] }, namespace, table);
      },
    });
  }
  if (table.find(ResourceClaimTemplates) !== undefined) {
    table.hook(ResourceClaimTemplates, {
      // What a template says stays, so that later nothing has to be asked.
      async permit({ object, old }) {
        if (old !== undefined) return [];
        const { namespace = "" } = object.metadata;
        return await requestedAdminAccess(object.spec.spec.devices?.requests ?? [], namespace, table);
      },
    });
  }
}
