import { hasReason, type Namespace, Namespaces, refusals } from "@skiff/api";
import type { AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { objectsIn } from "../matching/equivalents.ts";
import type { Match } from "../matching/request-matcher.ts";
import { isFor } from "../narrow.ts";
import type { RequestView } from "./bindings-of-request.ts";
import type { PolicyPluginOptions } from "./policy-options.ts";

/** The namespace that expressions see: none for a Namespace itself. Throws 404 where it is not there. */
async function namespaceOf(request: AdmissionRequest, table: ResourceTable): Promise<Namespace | undefined> {
  const { namespace } = request;
  if (namespace === undefined || namespace === "" || isFor(request, Namespaces)) return undefined;
  const namespaces = table.of(Namespaces);
  const known = namespaces.peek({ name: namespace });
  if (known !== undefined) return known;
  try {
    return await namespaces.get({ name: namespace });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
    throw refusals.notFound({ group: "", kind: "namespaces", name: namespace });
  }
}

/** A request as the expressions of a policy are to see it. */
export async function viewOf(
  { table, authorizer }: Pick<PolicyPluginOptions, "table" | "authorizer">,
  request: AdmissionRequest,
  match: Match,
): Promise<RequestView> {
  const objects = await objectsIn(request, match.resource);
  return { request, match, ...objects, namespace: await namespaceOf(request, table), authorizer };
}
