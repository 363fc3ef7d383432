import type { ObjectMeta, OwnerReference } from "../generated/types/meta-v1.ts";
import type { KubeObject } from "../object.ts";
import { apiVersionOf } from "../resource-definition.ts";

/** The owner that controls an object, where one does. */
export const controllerOf = (object: { readonly metadata: ObjectMeta }): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);

/** The reference by which `owner` controls what it creates. Its deletion in the foreground waits for them. */
export const ownerReference = (
  resource: { readonly group: string; readonly version: string; readonly kind: string },
  owner: KubeObject,
): OwnerReference => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});
