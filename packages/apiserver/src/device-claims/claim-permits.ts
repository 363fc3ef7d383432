import {
  type DeviceRequestAllocationResult,
  type DynamicResourceClaim,
  ResourceClaims,
  ResourceClaimTemplates,
} from "@skiff/api";
import type { AccessAuthorizer } from "../authorization/access.ts";
import type { StorageTable } from "../storage/storage-table.ts";
import { allocatedAdminAccess, requestedAdminAccess } from "./admin-access.ts";
import { unpermittedChanges } from "./status-permissions.ts";

const resultsOf = ({ status }: DynamicResourceClaim): readonly DeviceRequestAllocationResult[] =>
  status?.allocation?.devices?.results ?? [];

/** Has claims of devices and their templates ask for no more, and be given no more, than their namespace and the user may. */
export function checkClaimPermissions(table: StorageTable, authorizer: AccessAuthorizer): void {
  if (table.find(ResourceClaims) !== undefined) {
    table.judge(ResourceClaims, {
      async permit({ object, old, subresource, context: { user, request } }) {
        const { namespace = "" } = object.metadata;
        if (old === undefined) return await requestedAdminAccess(object.spec.devices?.requests ?? [], namespace, table);
        if (subresource !== "status") return [];
        const results = { now: resultsOf(object), before: resultsOf(old) };
        const admin = await allocatedAdminAccess(results, namespace, table);
        if (request === undefined) return admin;
        const change = { now: object.status, before: old.status, user, request };
        return [...admin, ...(await unpermittedChanges(change, authorizer))];
      },
    });
  }
  if (table.find(ResourceClaimTemplates) !== undefined) {
    table.judge(ResourceClaimTemplates, {
      // What a template says stays, so that later nothing has to be asked.
      async permit({ object, old }) {
        if (old !== undefined) return [];
        const { namespace = "" } = object.metadata;
        return await requestedAdminAccess(object.spec.spec.devices?.requests ?? [], namespace, table);
      },
    });
  }
}
