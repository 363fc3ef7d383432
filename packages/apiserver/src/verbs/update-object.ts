import { fieldError, hasReason, type KubeObject, type ObjectRef, qualifiedPlural, refusals } from "@skiff/api";
import { deepCopy } from "@skiff/base";
import type { WriteContext } from "../contracts.ts";
import { createObject } from "../storage/create-object.ts";
import { modifyObject } from "../storage/modify-object.ts";
import type { ObjectStorage, Written } from "../storage/object-storage.ts";
import { checkPlace, placePatched } from "./check-place.ts";

/** Resources that a PUT makes where they are not there. */
const createdByUpdate: ReadonlySet<string> = new Set([
  "endpoints",
  "events",
  "limitranges",
  "services",
  "leases.coordination.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "rolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "clusterrolebindings.rbac.authorization.k8s.io",
]);

/** Built-in resources of which an update must say the version that it is about; custom ones are all so. */
const onlyOfVersion: ReadonlySet<string> = new Set([
  "leases.coordination.k8s.io",
  "poddisruptionbudgets.policy",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "apiservices.apiregistration.k8s.io",
  "runtimeclasses.node.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
]);

/** A PUT. */
export interface Replacement {
  readonly object: KubeObject;
  readonly context: WriteContext;
  readonly subresource: string | undefined;
}

/** Replaces an object; makes it where it is not there and its kind may be made so. */
export async function updateObject(storage: ObjectStorage, ref: ObjectRef, put: Replacement): Promise<Written> {
  const { object, context, subresource } = put;
  checkPlace(object, ref);
  const qualified = qualifiedPlural(storage.resource);
  if (subresource === undefined && createdByUpdate.has(qualified)) {
    const made = await createdInstead(storage, ref, put);
    if (made !== undefined) return made;
  }
  if (!object.metadata.resourceVersion && (storage.schema.definition === "" || onlyOfVersion.has(qualified))) {
    storage.served(ref);
    throw refusals.invalid(storage.subject(ref.name), [
      fieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update"),
    ]);
  }
  // An update of one version has one attempt: it may have the object. One of any version starts over from it.
  const { resourceVersion } = object.metadata;
  const ownObject = !!resourceVersion && resourceVersion !== "0";
  const change = () => object;
  return { served: await modifyObject(storage, ref, { change, context, subresource, ownObject }), created: false };
}

/** `undefined` where the object is there. */
async function createdInstead(
  storage: ObjectStorage,
  ref: ObjectRef,
  { object, context }: Replacement,
): Promise<Written | undefined> {
  if (storage.find(ref) !== undefined) return undefined;
  const { uid } = object.metadata;
  if (uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: `;
    throw refusals.conflict(storage.subject(ref.name), why);
  }
  await context.authorizeCreate?.();
  const made = deepCopy(object);
  made.metadata.resourceVersion = "";
  placePatched(made, ref);
  try {
    return { served: await createObject(storage, made, context), created: true };
  } catch (error) {
    // Somebody else made it in the meantime: then it is there to be changed.
    if (hasReason(error, "AlreadyExists")) return undefined;
    throw error;
  }
}
