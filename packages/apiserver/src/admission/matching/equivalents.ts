import { type DynamicObject, type KubeObject, type ResourceDefinition, refusals } from "@skiff/api";
import { resourcePrefix } from "../../cache/keys.ts";
import type { AdmissionRequest, KindName, ResourceTable } from "../../contracts.ts";

/** The other versions and groups that the same objects are served in, in the order of the table. */
export function equivalentsOf(
  table: ResourceTable,
  resource: ResourceDefinition,
  subresource: string | undefined,
): readonly ResourceDefinition[] {
  const prefix = resourcePrefix(resource);
  return table
    .all()
    .map((storage) => storage.resource)
    .filter(
      (other) =>
        resourcePrefix(other) === prefix &&
        (other.version !== resource.version || other.group !== resource.group) &&
        (subresource === undefined || other.subresources.some(({ name }) => name === subresource)),
    );
}

/** The kind of what a subresource takes: most take the resource's own. */
export const kindOf = (resource: ResourceDefinition, subresource: string | undefined): KindName =>
  subresource === undefined
    ? resource
    : (resource.subresources.find(({ name }) => name === subresource)?.kind ?? resource);

const isDynamic = (_object: KubeObject): _object is DynamicObject => true;

/** An object in the form of another version that is stored at the same place. Gives what it was given where there is nothing to do. */
export async function convertObject(
  object: KubeObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
): Promise<KubeObject> {
  if (from === to || (from.group === to.group && from.version === to.version) || !isDynamic(object)) return object;
  const stored = from.storedAs === undefined ? object : await from.storedAs.toStored(object);
  if (to.storedAs === undefined) return stored;
  const { remote } = to.storedAs;
  if (remote?.isForeign(stored) !== true) return to.storedAs.fromStored(stored);
  const [shown] = await remote.fromStored([stored]);
  return shown ?? stored;
}

/** True for requests whose object is of the resource's own kind: only those differ from version to version. */
export const isOwnKind = ({ kind, resource }: AdmissionRequest): boolean =>
  kind.kind === resource.kind && kind.group === resource.group && kind.version === resource.version;

/** The request's two objects in the form of the version that a rule asked for. Throws 500 where they cannot be had in it. */
export async function objectsIn(
  request: AdmissionRequest,
  resource: ResourceDefinition,
): Promise<{ readonly object: KubeObject | undefined; readonly oldObject: KubeObject | undefined }> {
  const { object, oldObject } = request;
  if (resource === request.resource || !isOwnKind(request)) return { object, oldObject };
  const convert = (one: KubeObject | undefined) =>
    one === undefined ? undefined : convertObject(one, request.resource, resource);
  try {
    const [converted, convertedOld] = await Promise.all([convert(object), convert(oldObject)]);
    return { object: converted, oldObject: convertedOld };
  } catch (error) {
    throw refusals.internal(error instanceof Error ? error.message : String(error));
  }
}
