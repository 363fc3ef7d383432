import type { KubeList, KubeObject, ResourceDefinition, WatchEvent } from "@skiff/api";
import { isJsonObject } from "@skiff/base";

/**
 * Where JSON gets its type. What an API server answers under a resource's address has that resource's shape: the server
 * has validated it. So these look only at what tells an object from a list or a `Status`.
 */
export function isObjectOf<T extends KubeObject>(_resource: ResourceDefinition<T>, value: unknown): value is T {
  return isJsonObject(value) && isJsonObject(value.metadata);
}

/** As `isObjectOf`, for lists. */
export function isListOf<T extends KubeObject>(_resource: ResourceDefinition<T>, value: unknown): value is KubeList<T> {
  return isJsonObject(value) && Array.isArray(value.items) && isJsonObject(value.metadata);
}

/** As `isObjectOf`, for watch events. */
export function isEventOf<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  event: WatchEvent,
): event is WatchEvent<T> {
  return event.type === "BOOKMARK" || event.type === "ERROR" || isObjectOf(resource, event.object);
}
