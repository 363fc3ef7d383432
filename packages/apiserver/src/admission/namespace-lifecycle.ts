import { hasReason, type Namespace, Namespaces, refusals, StatusError } from "@skiff/api";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../contracts.ts";
import { isFor, refused } from "./narrow.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Nothing is made in a namespace that is not there or that is about to go; three namespaces cannot be deleted. */
export function namespaceLifecycle(table: ResourceTable): AdmissionPlugin {
  // The watch cache may be behind a namespace that was made a moment ago.
  const read = async (name: string): Promise<Namespace | undefined> =>
    table
      .of(Namespaces)
      .get({ name })
      .catch((error: unknown) => {
        if (hasReason(error, "NotFound")) return undefined;
        throw error;
      });
  const check = (request: AdmissionRequest, name: string, found: Namespace | undefined): void => {
    if (found === undefined) throw refusals.notFound({ group: "", kind: "namespaces", name });
    if (found.status?.phase === "Terminating" || found.metadata.deletionTimestamp !== undefined) {
      throw terminating(request, name);
    }
  };
  return {
    name: "NamespaceLifecycle",
    handles: ({ operation }) => operation !== "CONNECT",
    admit(request) {
      if (isFor(request, Namespaces)) {
        if (request.operation === "DELETE" && request.subresource === undefined && immortal.has(request.name)) {
          throw refused(request, "this namespace may not be deleted");
        }
        return undefined;
      }
      const { namespace, operation } = request;
      if (namespace === undefined || operation !== "CREATE") return undefined;
      // What is answered would tell whether there is such a namespace.
      if (request.resource.plural === "localsubjectaccessreviews") return undefined;
      const known = table.of(Namespaces).peek({ name: namespace });
      if (known === undefined) return read(namespace).then((found) => check(request, namespace, found));
      check(request, namespace, known);
      return undefined;
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
