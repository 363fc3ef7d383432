import {
  age,
  apiVersionOf,
  Deployments,
  definitionSchema,
  fieldError,
  type KubeObject,
  type LabelSelector,
  labelSelectorOf,
  labelsSelector,
  type ObjectRef,
  patchedObject,
  qualifiedPlural,
  ReplicaSets,
  ReplicationControllers,
  type ResourceDefinition,
  refusals,
  StatefulSets,
  strictConfigurationError,
} from "@skiff/api";
import { type Clock, deepCopy, isJsonObject, type JsonObject } from "@skiff/base";
import type { AdmissionAction, ResourceStorage, ResourceTable, SubresourceHandler } from "../contracts.ts";
import { asObject } from "../encoding/object-json.ts";
import { warnOf } from "../verbs/decode-body.ts";
import type { ParsedConfiguration } from "../verbs/parse-patch.ts";
import { type BodyKind, type ObjectCall, objectHandler } from "./object-handler.ts";

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

/** Where a kind keeps what its `/scale` shows. */
export interface ScaleForm {
  /** Throws where there is no number. */
  replicas(object: KubeObject): number;
  statusReplicas(object: KubeObject): number;
  /** In its text form; empty where there is none. */
  selector(object: KubeObject): string;
  /** The object may be changed. */
  setReplicas(object: KubeObject, replicas: number): void;
}

const builtInForm: ScaleForm = {
  replicas: (object) => count(member(object, "spec").replicas),
  statusReplicas: (object) => count(member(object, "status").replicas),
  selector: selectorText,
  setReplicas: (object, replicas) => void Reflect.set(object, "spec", { ...member(object, "spec"), replicas }),
};

/** How an object is scaled: the `Scale` that its `/scale` shows. */
export function scaleOf(object: KubeObject, form = builtInForm): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = form.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: form.replicas(object) },
    status: { replicas: form.statusReplicas(object), ...(selector === "" ? {} : { selector }) },
  };
}

/** The `Scale` that a call wants, made from the present one. */
function wantedScale({ verb, body = {}, patch, context }: ObjectCall, current: JsonObject): JsonObject {
  if (verb !== "patch") return body;
  // The version that a patch names is looked at; the one that it leaves alone is not.
  const { resourceVersion: _present, ...metadata } = member(current, "metadata");
  const { fieldValidation } = context;
  const parsed = patch?.body ?? ({ type: "merge", value: body, strictErrors: [] } as const);
  if (parsed.type === "apply") throw refusals.badRequest("a configuration is no patch of a Scale");
  const schema = definitionSchema(scaleBody.definition);
  const { value, strictErrors } = patchedObject({
    current: { ...current, metadata },
    patch: parsed,
    schema,
    fieldValidation,
  });
  warnOf(strictErrors, context);
  return value;
}

interface Scaling {
  readonly resource: ResourceDefinition;
  readonly form: ScaleForm;
  readonly scale: JsonObject;
}

const scaleBody: BodyKind = { group: "autoscaling", version: "v1", kind: "Scale", definition: "autoscaling.v1.Scale" };

/** Applying a Scale is applying its replicas to the object itself: that is where their owners are known. */
async function applyScale<T extends KubeObject>(
  storage: ResourceStorage<T>,
  form: ScaleForm,
  call: ObjectCall & { readonly patch: { readonly body: ParsedConfiguration; readonly force: boolean } },
): Promise<T> {
  const { resource } = storage;
  const { value: config, strictErrors } = call.patch.body;
  if (config.apiVersion !== "autoscaling/v1" || config.kind !== "Scale") {
    throw refusals.badRequest(`invalid object type: ${String(config.apiVersion)}, Kind=${String(config.kind)}`);
  }
  if (strictErrors.length > 0 && call.context.fieldValidation === "Strict")
    throw strictConfigurationError(strictErrors);
  const before = scaleOf(await storage.get(call.ref), form);
  const scale = { ...before, spec: { ...member(before, "spec"), ...member(config, "spec") } };
  await storage.admit(update(call.ref, { scale, before }), call.context);
  const { name, namespace, uid, resourceVersion } = member(config, "metadata");
  const replicas = member(config, "spec").replicas === undefined ? undefined : scale.spec.replicas;
  const identity: JsonObject = { name, namespace, uid, resourceVersion };
  const own = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: present(identity) };
  if (typeof replicas === "number") form.setReplicas(asObject(own), replicas);
  return await storage.apply(
    call.ref,
    { config: own, force: call.patch.force },
    { ...call.context, subresource: "scale" },
  );
}

const present = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** The object with the replicas that a `Scale` asks for. */
function scaled<T extends KubeObject>(object: T, { resource, form, scale }: Scaling): T {
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
  form.setReplicas(next, replicas);
  return next;
}

/** What admission sees of a change of scale: plugins may change the scale that is wanted. */
function update(
  { namespace, name }: ObjectRef,
  { scale, before }: { readonly scale: JsonObject; readonly before: JsonObject },
): AdmissionAction {
  const kind = { group: "autoscaling", version: "v1", kind: "Scale" };
  Object.assign(scale, { kind: kind.kind, apiVersion: "autoscaling/v1" });
  if (!isJsonObject(scale.metadata)) scale.metadata = {};
  const objects = { object: asObject(scale), oldObject: asObject(before) };
  return { operation: "UPDATE", subresource: "scale", kind, namespace, name, ...objects };
}

const scaleColumns: ResourceDefinition["columns"] = [
  { title: "Desired", type: "integer", value: (scale) => count(member(scale, "spec").replicas) },
  { title: "Available", type: "integer", value: (scale) => count(member(scale, "status").replicas) },
  age,
];

/** `/scale` of a kind that keeps its numbers in one form or another. */
export function scaleHandler<T extends KubeObject>(
  storageOf: () => ResourceStorage<T>,
  clock: Clock,
  form: ScaleForm = builtInForm,
): SubresourceHandler {
  return objectHandler(
    async (call) => {
      const storage = storageOf();
      const { resource } = storage;
      if (call.verb === "get") return scaleOf(await storage.get(call.ref), form);
      const { patch } = call;
      if (patch?.body.type === "apply") {
        const own = { ...call, patch: { body: patch.body, force: patch.force } };
        return scaleOf(await applyScale(storage, form, own), form);
      }
      const change = async (current: T): Promise<T> => {
        const before = scaleOf(current, form);
        const scale = wantedScale(call, call.verb === "patch" ? before : {});
        await storage.admit(update(call.ref, { scale, before }), call.context);
        return scaled(current, { resource, form, scale });
      };
      const context = { ...call.context, subresource: "scale", admitted: true };
      return scaleOf(await storage.modify(call.ref, change, context), form);
    },
    scaleBody,
    { columns: scaleColumns, clock },
  );
}

/** `/scale` of the built-in kinds that have replicas. */
export const scales = (table: ResourceTable, clock: Clock): ReadonlyMap<string, SubresourceHandler> => {
  const entry = <T extends KubeObject>(resource: ResourceDefinition<T>): [string, SubresourceHandler] => [
    `${qualifiedPlural(resource)}/scale`,
    scaleHandler(() => table.of(resource), clock),
  ];
  return new Map([entry(Deployments), entry(ReplicaSets), entry(StatefulSets), entry(ReplicationControllers)]);
};
