import { type OwnerReference, Pods } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { AccessAuthorizer } from "../../authorization/access.ts";
import type { AdmissionPlugin, AdmissionRequest, ResourceTable } from "../../contracts.ts";
import { isFor, refused } from "../narrow.ts";

type Asked = Parameters<AccessAuthorizer["authorize"]>[0]["request"];

const ownersOf = (object: AdmissionRequest["object"]): readonly OwnerReference[] =>
  object?.metadata.ownerReferences ?? [];

/** References that begin to keep their owner from going. */
function newlyBlocking({ object, oldObject }: AdmissionRequest): readonly OwnerReference[] {
  const before = new Map(ownersOf(oldObject).map((owner) => [owner.uid, owner.blockOwnerDeletion === true]));
  return ownersOf(object).filter(
    ({ uid, blockOwnerDeletion }) => blockOwnerDeletion === true && before.get(uid) !== true,
  );
}

/**
 * Whoever makes an object depend on another must be allowed to delete the one, and where it holds up the deletion of the
 * other, to set finalizers there.
 */
export function ownerReferencesPermissionEnforcement(
  table: ResourceTable,
  authorizer: AccessAuthorizer,
): AdmissionPlugin {
  const check = async (request: AdmissionRequest, asked: Asked, what: string): Promise<void> => {
    const { kind, reason } = await authorizer.authorize({ user: request.user, request: asked });
    if (kind !== "allowed") throw refused(request, `${what}: ${reason}, <nil>`);
  };
  return {
    name: "OwnerReferencesPermissionEnforcement",
    handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
    async validate(request) {
      const { object, oldObject, resource, subresource, namespace, name } = request;
      if (isFor(request, Pods) && subresource === "status") return;
      if (jsonEqual(ownersOf(object), ownersOf(oldObject))) return;
      const { group, version, plural } = resource;
      const own: Asked = {
        kind: "resource",
        verb: "delete",
        group,
        version,
        plural,
        namespace,
        name: name === "" ? undefined : name,
        subresource,
      };
      await check(request, own, "cannot set an ownerRef on a resource you can't delete");
      for (const owner of newlyBlocking(request)) await check(request, finalizing(request, owner, table), blocked);
    },
  };
}

const blocked = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on";

function finalizing(
  request: AdmissionRequest,
  { apiVersion, kind, name }: OwnerReference,
  table: ResourceTable,
): Asked {
  const slash = apiVersion.indexOf("/");
  const [group, version] = slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const found = table.byKind({ group, version, kind })?.resource;
  if (found === undefined) {
    const where = `APIVersion ${apiVersion} Kind ${kind}`;
    const why = `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
    throw refused(
      request,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for ${where}: ${why}`,
    );
  }
  const { plural, scope } = found;
  const namespace = scope === "namespaced" ? request.namespace : undefined;
  return { kind: "resource", verb: "update", group, version, plural, namespace, name, subresource: "finalizers" };
}
