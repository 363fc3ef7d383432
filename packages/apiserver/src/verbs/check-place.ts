import { type KubeObject, type ObjectRef, refusals } from "@skiff/api";

/** Throws 400 when an object that is written names another place than its address does. */
export function checkPlace({ metadata }: KubeObject, { namespace, name }: ObjectRef): void {
  if (!metadata.name) {
    throw refusals.badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw refusals.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (namespace !== undefined && metadata.namespace && metadata.namespace !== namespace) {
    throw refusals.badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    );
  }
}

/** Puts a new object into the namespace that its address names. Throws 400 when it names another itself. */
export function placeNew({ metadata }: KubeObject, namespace: string | undefined): void {
  if (namespace === undefined) delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace) {
    throw refusals.badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** The same for an object that a patch made: where it says no namespace, it is that of its address. */
export function placePatched(object: KubeObject, { namespace }: ObjectRef): void {
  if (namespace !== undefined) placeNew(object, namespace);
}
