import { type KubeObject, type ResourceDefinition, refusals, type StatusError } from "@skiff/api";
import type { AdmissionRequest } from "../contracts.ts";

const isOf = <T extends KubeObject>(
  object: KubeObject,
  request: AdmissionRequest,
  resource: ResourceDefinition<T>,
): object is T => isFor(request, resource) && object.kind !== "";

/** True when a request is about objects of `resource`. */
export const isFor = ({ resource }: AdmissionRequest, { group, plural }: ResourceDefinition): boolean =>
  resource.plural === plural && resource.group === group;

/** The request's object, where it is one of `resource`. */
export function objectOf<T extends KubeObject>(
  request: AdmissionRequest,
  resource: ResourceDefinition<T>,
): T | undefined {
  const { object } = request;
  return object !== undefined && isOf(object, request, resource) ? object : undefined;
}

/** The object before the request, where it is one of `resource`. */
export function oldObjectOf<T extends KubeObject>(
  request: AdmissionRequest,
  resource: ResourceDefinition<T>,
): T | undefined {
  const { oldObject } = request;
  return oldObject !== undefined && isOf(oldObject, request, resource) ? oldObject : undefined;
}

/** A plugin's refusal (403), in the name of the object. */
export function refused(request: AdmissionRequest, why: string): StatusError {
  const { group, plural: kind } = request.resource;
  const { name = "", generateName } = request.object?.metadata ?? {};
  return refusals.forbidden({ group, kind, name: request.name || name || generateName || "Unknown" }, why);
}
