import { type KubeObject, qualifiedPlural, type ResourceDefinition } from "@skiff/api";
import type { JsonObject } from "@skiff/base";

/** Resources whose deletion answers with the object itself even when it is gone; all others answer with a Status. */
const returning: ReadonlySet<string> = new Set([
  "pods",
  "podtemplates",
  "services",
  "serviceaccounts",
  "persistentvolumes",
  "persistentvolumeclaims",
  "resourcequotas",
]);

/** True when a deletion answers with the deleted object. */
export const returnsRemoved = (resource: ResourceDefinition): boolean => returning.has(qualifiedPlural(resource));

/** The answer to a deletion after which the object is gone. */
export const removedStatus = (resource: ResourceDefinition, { metadata }: KubeObject): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: {
    name: metadata.name,
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: metadata.uid,
  },
});
