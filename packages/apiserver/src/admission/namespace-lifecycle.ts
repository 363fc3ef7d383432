import { hasReason, type Namespace, Namespaces, refusals, StatusError } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { isFor, refused } from "./narrow.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Nothing is made in a namespace that is not there or that is about to go; three namespaces cannot be deleted. */
export function namespaceLifecycle(table: ResourceTable): AdmissionPlugin {
  const find = async (name: string): Promise<Namespace | undefined> => {
    const namespaces = table.of(Namespaces);
    const known = namespaces.peek({ name });
    if (known !== undefined) return known;
    // The watch cache may be behind a namespace that was made a moment ago.
    return namespaces.get({ name }).catch((error: unknown) => {
      if (hasReason(error, "NotFound")) return undefined;
      throw error;
    });
  };
  return {
    name: "NamespaceLifecycle",
    handles: ({ operation }) => operation !== "CONNECT",
    async admit(request) {
      if (isFor(request, Namespaces)) {
        if (request.operation === "DELETE" && request.subresource === undefined && immortal.has(request.name)) {
          throw refused(request, "this namespace may not be deleted");
        }
        return;
      }
      const { namespace, operation } = request;
      if (namespace === undefined || operation !== "CREATE") return;
      const found = await find(namespace);
      if (found === undefined) throw refusals.notFound({ group: "", kind: "namespaces", name: namespace });
      if (found.status?.phase === "Terminating" || found.metadata.deletionTimestamp !== undefined) {
        throw terminating(request, namespace);
      }
    },
  };
}

function terminating(request: AdmissionRequest, namespace: string): StatusError {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { status } = refused(request, why);
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  return new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
}
