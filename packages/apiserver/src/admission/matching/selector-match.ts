import { type KubeObject, type LabelMatcher, type Namespace, Namespaces, type ObjectRef } from "@skiff/api";
import type { AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { isFor } from "../narrow.ts";

/** The namespace that a request is in, for webhooks and policies: one for a Namespace is within itself. */
export const namespaceOf = (request: AdmissionRequest): string | undefined =>
  isFor(request, Namespaces)
    ? request.name || request.object?.metadata.name || undefined
    : request.namespace === ""
      ? undefined
      : request.namespace;

/** The Namespace object that a request is in: for one that makes or changes it, as it is going to be. Throws 404. */
export function namespaceObject(
  request: AdmissionRequest,
  table: ResourceTable,
): Namespace | Promise<Namespace> | undefined {
  const name = namespaceOf(request);
  if (name === undefined) return undefined;
  const namespaces = table.of(Namespaces);
  const ref: ObjectRef = { name };
  return namespaces.peek(ref) ?? namespaces.get(ref);
}

/** Whether a selector means a request's namespace. It means all objects that are in none. Rejects with 404 where it is not there. */
export function namespaceMatches(
  selector: LabelMatcher,
  request: AdmissionRequest,
  table: ResourceTable,
): boolean | Promise<boolean> {
  if (selector.requirements.length === 0) return true;
  const { object, operation, subresource } = request;
  if (isFor(request, Namespaces) && subresource === undefined && operation !== "DELETE" && object !== undefined) {
    return selector.matches(object.metadata.labels);
  }
  const found = namespaceObject(request, table);
  if (found === undefined) return true;
  return found instanceof Promise
    ? found.then(({ metadata }) => selector.matches(metadata.labels))
    : selector.matches(found.metadata.labels);
}

/** Whether a selector means what a request makes or changes: one of the two states is enough. */
export function objectMatches(selector: LabelMatcher, request: AdmissionRequest): boolean {
  if (selector.requirements.length === 0) return true;
  const { object, oldObject, operation } = request;
  // The options of a connection have no labels, so that no selector that asks for anything means them.
  if (operation === "CONNECT") return false;
  const matches = (one: KubeObject | undefined): boolean => one !== undefined && selector.matches(one.metadata.labels);
  return matches(object) || matches(oldObject);
}
