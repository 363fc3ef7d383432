import {
  applyJsonPatch,
  applyMergePatch,
  Deployments,
  fieldError,
  type KubeObject,
  type LabelSelector,
  labelSelectorOf,
  labelsSelector,
  patchTypes,
  qualifiedPlural,
  ReplicaSets,
  ReplicationControllers,
  type ResourceDefinition,
  refusals,
  StatefulSets,
} from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject } from "@skiff/base";
import type { ResourceTable, SubresourceHandler } from "../contracts.ts";
import { type ObjectCall, objectHandler } from "./object-handler.ts";

const member = (object: object, field: string): JsonObject => {
  const value: unknown = Reflect.get(object, field);
  return isJsonObject(value) ? value : {};
};

const count = (value: unknown): number => (typeof value === "number" ? value : 0);

const isSelector = (value: JsonObject): value is JsonObject & LabelSelector =>
  value.matchLabels !== undefined || value.matchExpressions !== undefined;

const labelsIn = (value: JsonObject): Record<string, string> =>
  Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"));

/** A selector as the text that `labelSelector` takes. Replication controllers have plain labels in its place. */
function selectorText(object: object): string {
  const selector = member(member(object, "spec"), "selector");
  return isSelector(selector) ? labelSelectorOf(selector).text : labelsSelector(labelsIn(selector)).text;
}

/** How an object is scaled: the `Scale` that its `/scale` shows. */
export function scaleOf(object: KubeObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorText(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(member(object, "spec").replicas) },
    status: { replicas: count(member(object, "status").replicas), ...(selector === "" ? {} : { selector }) },
  };
}

/** The `Scale` that a call wants, made from the present one. */
function wantedScale({ verb, body = {}, patch }: ObjectCall, current: JsonObject): JsonObject {
  if (verb !== "patch") return body;
  // The version that a patch names is looked at; the one that it leaves alone is not.
  const { resourceVersion: _present, ...metadata } = member(current, "metadata");
  const base = { ...current, metadata };
  const patched =
    patch?.type === patchTypes.json ? applyJsonPatch(base, patch.value) : applyMergePatch(base, patch?.value ?? body);
  if (!isJsonObject(patched)) throw refusals.badRequest("the patched object is not a Scale");
  return patched;
}

/** The object with the replicas that a `Scale` asks for. */
function scaled<T extends KubeObject>(object: T, resource: ResourceDefinition, scale: JsonObject): T {
  const { name } = object.metadata;
  const subject = { group: resource.group, kind: resource.plural, name };
  const metadata = member(scale, "metadata");
  if (typeof metadata.name === "string" && metadata.name !== "" && metadata.name !== name) {
    throw refusals.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  const replicas = count(member(scale, "spec").replicas);
  if (replicas < 0) {
    const error = fieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
    throw refusals.invalid({ group: "autoscaling", kind: "Scale", name }, [error]);
  }
  const { uid, resourceVersion: version } = metadata;
  if (typeof uid === "string" && uid !== "" && uid !== object.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`;
    throw refusals.conflict(subject, why);
  }
  const named = typeof version === "string" && version !== "";
  if (named && version !== object.metadata.resourceVersion) throw refusals.stale(subject);
  const next = deepCopy(object);
  Reflect.set(next, "spec", { ...member(next, "spec"), replicas });
  return next;
}

function scaleHandler<T extends KubeObject>(table: ResourceTable, resource: ResourceDefinition<T>): SubresourceHandler {
  return objectHandler(async (call) => {
    const storage = table.of(resource);
    if (call.verb === "get") return scaleOf(await storage.get(call.ref));
    const change = (current: T): T => scaled(current, resource, wantedScale(call, scaleOf(current)));
    return scaleOf(await storage.modify(call.ref, change, { ...call.context, subresource: "scale" }));
  });
}

/** `/scale` of the built-in kinds that have replicas. */
export const scales = (table: ResourceTable): ReadonlyMap<string, SubresourceHandler> => {
  const entry = <T extends KubeObject>(resource: ResourceDefinition<T>): [string, SubresourceHandler] => [
    `${qualifiedPlural(resource)}/scale`,
    scaleHandler(table, resource),
  ];
  return new Map([entry(Deployments), entry(ReplicaSets), entry(StatefulSets), entry(ReplicationControllers)]);
};
