/**
 * Who has admin access to devices looks at what others use. Kubernetes gives it in marked namespaces alone.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access
 */
import {
  type DeviceRequest,
  type DeviceRequestAllocationResult,
  type FieldError,
  fieldError,
  hasReason,
  type Namespace,
  Namespaces,
} from "@skiff/api";
import type { ResourceTable } from "../contracts.ts";

const label = "resource.kubernetes.io/admin-access";

/** What a claim, or the claims of a template, may not ask for in a namespace. The field is the same for both, as in Kubernetes. */
export async function requestedAdminAccess(
  requests: readonly DeviceRequest[],
  namespace: string,
  table: ResourceTable,
): Promise<readonly FieldError[]> {
  const index = requests.findIndex(({ exactly }) => exactly?.adminAccess === true);
  return index < 0 ? [] : await ungranted(`spec.devices.requests[${index}].adminAccess`, namespace, table);
}

/** What a claim may not be given in a namespace; where it had admin access before, it keeps it. */
export async function allocatedAdminAccess(
  { now, before }: Record<"now" | "before", readonly DeviceRequestAllocationResult[]>,
  namespace: string,
  table: ResourceTable,
): Promise<readonly FieldError[]> {
  const index = now.findIndex(isAdmin);
  if (index < 0 || before.some(isAdmin)) return [];
  return await ungranted(`status.allocation.devices.results[${index}].adminAccess`, namespace, table);
}

const isAdmin = ({ adminAccess }: DeviceRequestAllocationResult): boolean => adminAccess === true;

async function ungranted(field: string, namespace: string, table: ResourceTable): Promise<readonly FieldError[]> {
  let found: Namespace;
  try {
    found = await table.of(Namespaces).get({ name: namespace });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
    const detail = `could not retrieve namespace to verify admin access: ${error.message}`;
    return [{ kind: "internal", field, detail }];
  }
  if (found.metadata.labels?.[label] === "true") return [];
  const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
  return [fieldError.forbidden(field, why)];
}
