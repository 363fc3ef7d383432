import { type ObjectRef, type Pod, Pods, refusals, type StatusError } from "@skiff/api";
import { type Clock, isJsonObject, type JsonObject, type JsonValue, timestamp } from "@skiff/base";
import type { ResourceTable, SubresourceHandler, WriteContext } from "../contracts.ts";
import { created } from "./created.ts";
import { type BodyKind, type ObjectCall, objectHandler } from "./object-handler.ts";

/** What creations that make no object answer with. */
export const success: JsonObject = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

const conflict = (name: string, why: string): StatusError =>
  refusals.conflict({ group: "", kind: "pods/binding", name }, why);

const strings = (value: JsonValue | undefined): Record<string, string> => {
  const pairs = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
};

/** The pod on its node. Throws 409 for one that is on a node already, on its way out, or held back. */
export function boundPod(pod: Pod, binding: JsonObject, nowMs: number): Pod {
  const { name, uid } = pod.metadata;
  const target = isJsonObject(binding.target) ? binding.target : {};
  const node = typeof target.name === "string" ? target.name : "";
  const wanted = isJsonObject(binding.metadata) ? binding.metadata : {};
  const errors: string[] = [];
  if (target.kind !== undefined && target.kind !== "" && target.kind !== "Node" && target.kind !== "Minion") {
    errors.push(`target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`);
  }
  if (node === "") errors.push("target.name: Required value");
  if (errors.length > 0) throw refusals.badRequest(errors.join(", "));
  if (typeof wanted.uid === "string" && wanted.uid !== "" && wanted.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`;
    throw conflict(name, why);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const { spec } = pod;
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  if (spec === undefined) throw conflict(name, `pod ${name} has no spec`);
  if (spec.nodeName) throw conflict(name, `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
  if ((spec.schedulingGates ?? []).length > 0) {
    throw conflict(name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const generation = pod.metadata.generation;
  const scheduled = {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: timestamp(nowMs),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const labels = strings(wanted.labels);
  const annotations = strings(wanted.annotations);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...pod.metadata.labels, ...labels } }),
      ...(Object.keys(annotations).length === 0
        ? {}
        : { annotations: { ...pod.metadata.annotations, ...annotations } }),
    },
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...conditions, scheduled] },
  };
}

async function bind(
  table: ResourceTable,
  clock: Clock,
  call: { readonly ref: ObjectRef; readonly body: JsonObject; readonly context: WriteContext },
): Promise<JsonObject> {
  const { ref, body, context } = call;
  const pods = table.of(Pods);
  await pods.admit(created(pods, { ref, subresource: "binding", body }), context);
  // As Kubernetes does: what binding changes is nobody's field, and no rule is asked about it.
  const bound = { ...context, subresource: "binding", admitted: true, asIs: true };
  await pods.modify(ref, (pod) => boundPod(pod, body, clock.now()), bound);
  return success;
}

const bindingBody: BodyKind = { group: "", version: "v1", kind: "Binding", definition: "core.v1.Binding" };

/** `pods/binding`: puts a pod on a node, once. */
export const podBinding = (table: ResourceTable, clock: Clock): SubresourceHandler =>
  objectHandler(({ ref, body = {}, context }: ObjectCall) => bind(table, clock, { ref, body, context }), bindingBody);

/** `bindings`: the same, with the pod named in the binding's metadata. */
export const bindings = (table: ResourceTable, clock: Clock): SubresourceHandler =>
  objectHandler(({ ref, body = {}, context }: ObjectCall) => {
    const metadata = isJsonObject(body.metadata) ? body.metadata : {};
    const name = typeof metadata.name === "string" ? metadata.name : "";
    if (name === "") throw refusals.badRequest("name must be provided");
    return bind(table, clock, { ref: { ...ref, name }, body, context });
  }, bindingBody);
