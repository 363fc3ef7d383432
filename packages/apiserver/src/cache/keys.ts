import type { ObjectRef, ResourceDefinition } from "@skiff/api";

/** All keys of the API begin so. */
export const registryPrefix = "/registry/";

/** The place in the store of all objects of a resource: `/registry/apps/deployments/`. Views share the place of what they show. */
export function resourcePrefix(resource: Pick<ResourceDefinition, "group" | "plural" | "storedAs">): string {
  const { group, plural } = resource.storedAs ?? resource;
  return `${registryPrefix}${group === "" ? "core" : group}/${plural}/`;
}

/** The resource's place that a key belongs to. */
export function prefixOfKey(key: string): string {
  const groupEnd = key.indexOf("/", registryPrefix.length);
  return key.slice(0, key.indexOf("/", groupEnd + 1) + 1);
}

/** An object's key: prefix, namespace (where it has one) and name. */
export const objectKey = (prefix: string, { namespace, name }: ObjectRef): string =>
  namespace === undefined || namespace === "" ? prefix + name : `${prefix}${namespace}/${name}`;

/** What all keys of a resource in one namespace begin with; without a namespace, all keys of the resource. */
export const namespacePrefix = (prefix: string, namespace: string | undefined): string =>
  namespace === undefined || namespace === "" ? prefix : `${prefix}${namespace}/`;
