import {
  apiVersionOf,
  controllerOf,
  Deployments,
  type KubeObject,
  type ObjectRef,
  type ResourceDefinition,
} from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import type { ResourceSet } from "./resource-set.ts";

/** Something that a reference names by group and kind, whatever the version. */
export function resourceOfKind(
  resources: ResourceSet,
  { apiVersion = "", kind }: { readonly apiVersion?: string | undefined; readonly kind: string },
): ResourceDefinition | undefined {
  const candidates = resources.all().filter((resource) => resource.kind === kind);
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return (
    candidates.find((resource) => apiVersionOf(resource) === apiVersion) ??
    candidates.find((resource) => resource.group === group)
  );
}

/** The controller of a pod that is scaled as a whole: a Deployment rather than its ReplicaSet. */
export function topController<T extends KubeObject>(
  pod: KubeObject,
  sets: { readonly resource: ResourceDefinition<T> },
  { cached }: Pick<ReconcileContext, "cached">,
): { readonly ref: ObjectRef; readonly apiVersion: string; readonly kind: string; readonly uid: string } | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const { namespace } = pod.metadata;
  const set = owner.kind === sets.resource.kind ? cached(sets.resource).get(owner.name, namespace) : undefined;
  const above = set === undefined ? undefined : controllerOf(set);
  const top = above?.kind === Deployments.kind ? above : owner;
  return { ref: { namespace, name: top.name }, apiVersion: top.apiVersion, kind: top.kind, uid: top.uid };
}
