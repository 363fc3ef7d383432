import {
  apiVersionOf,
  type KubeObject,
  type ObjectRef,
  type ResourceDefinition,
  type Transport,
  type TransportRequest,
  type WatchEvent,
} from "@skiff/api";
import { assert, isJsonObject, type JsonObject } from "@skiff/base";
import type { Client, DeleteOptions, ListOptions, PatchOptions, Scale, WatchOptions, WriteOptions } from "./client.ts";
import { isEventOf, isListOf, isObjectOf } from "./typed.ts";

type Query = Readonly<Record<string, string>>;

/** The typed client on top of a transport, in process or over HTTPS. */
export function createClient(transport: Transport): Client {
  const one = async <T extends KubeObject>(resource: ResourceDefinition<T>, sent: Sent): Promise<T> => {
    const answer = await transport.send(requestFor(resource, sent), sent.signal);
    assert(isObjectOf(resource, answer), `the answer to ${sent.verb} of ${resource.plural} is no ${resource.kind}`);
    return answer;
  };
  const scale = async (resource: ResourceDefinition, sent: Sent): Promise<Scale> =>
    scaleFrom(await transport.send(requestFor(resource, sent), sent.signal));
  return {
    get: (resource, ref, { signal }) => one(resource, { verb: "get", ref, signal }),
    async list<T extends KubeObject>(resource: ResourceDefinition<T>, options: ListOptions) {
      const sent: Sent = { verb: "list", ref: options, query: listQuery(options), signal: options.signal };
      const answer = await transport.send(requestFor(resource, sent), options.signal);
      assert(isListOf(resource, answer), `the answer to list of ${resource.plural} is no list`);
      return answer;
    },
    watch: (resource, options) => watchOf(transport, resource, options),
    create: (resource, object, options) =>
      one(resource, { ...write(options), verb: "create", ref: object.metadata, body: typed(resource, object) }),
    update: (resource, object, { subresource, ...options }) =>
      one(resource, {
        ...write(options),
        verb: "update",
        ref: object.metadata,
        subresource,
        body: typed(resource, object),
      }),
    updateStatus: (resource, object, options) =>
      one(resource, {
        ...write(options),
        verb: "update",
        ref: object.metadata,
        subresource: "status",
        body: typed(resource, object),
      }),
    patch: (resource, ref, patch, options) => one(resource, patchSent(ref, patch, options)),
    delete: (resource, ref, options) =>
      transport.send(
        requestFor(resource, { verb: "delete", ref, body: deleteBody(options), signal: options.signal }),
        options.signal,
      ),
    createSubresource: (resource, ref, subresource, body, options) =>
      transport.send(
        requestFor(resource, { ...write(options), verb: "create", ref, subresource, body, named: true }),
        options.signal,
      ),
    getScale: (resource, ref, { signal }) => scale(resource, { verb: "get", ref, subresource: "scale", signal }),
    setScale: (resource, ref, replicas, options) =>
      scale(resource, patchSent(ref, { spec: { replicas } }, { ...options, type: "merge", subresource: "scale" })),
  };
}

interface Sent {
  readonly verb: TransportRequest["verb"];
  readonly ref: { readonly namespace?: string | undefined; readonly name?: string | undefined };
  readonly subresource?: string | undefined;
  readonly query?: Query;
  readonly body?: object;
  readonly patchType?: PatchOptions["type"];
  /** The address holds the name although the verb is `create`. */
  readonly named?: boolean;
  readonly signal: AbortSignal;
}

function requestFor(resource: ResourceDefinition, sent: Sent): TransportRequest {
  const { verb, ref, subresource, query, body, patchType } = sent;
  const hasName = sent.named === true || !(verb === "create" || verb === "list" || verb === "deletecollection");
  return {
    verb,
    group: resource.group,
    version: resource.version,
    plural: resource.plural,
    namespace: resource.scope === "namespaced" ? ref.namespace : undefined,
    name: hasName ? ref.name : undefined,
    subresource,
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
    ...(patchType === undefined ? {} : { patchType }),
  };
}

async function* watchOf<T extends KubeObject>(
  transport: Transport,
  resource: ResourceDefinition<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const query = { ...listQuery(options), allowWatchBookmarks: "true" };
  const sent: Sent = { verb: "list", ref: { namespace: options.namespace }, query, signal: options.signal };
  for await (const event of transport.watch(requestFor(resource, sent), options.signal)) {
    assert(isEventOf(resource, event), `a watch of ${resource.plural} sent something else`);
    yield event;
  }
}

function patchSent(ref: ObjectRef, patch: unknown, options: PatchOptions): Sent {
  const { query, signal } = write(options);
  return {
    verb: "patch",
    ref,
    subresource: options.subresource,
    query: { ...query, ...(options.force === true ? { force: "true" } : {}) },
    body: asBody(patch),
    patchType: options.type,
    signal,
  };
}

function asBody(patch: unknown): object {
  assert(typeof patch === "object" && patch !== null, "a patch is an object or a list");
  return patch;
}

function write(options: WriteOptions): { query: Query; signal: AbortSignal } {
  return {
    query: {
      ...(options.fieldManager === undefined ? {} : { fieldManager: options.fieldManager }),
      ...(options.dryRun === true ? { dryRun: "All" } : {}),
    },
    signal: options.signal,
  };
}

function listQuery(options: ListOptions): Query {
  const { labelSelector, fieldSelector, limit, continueToken, resourceVersion } = options;
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions }: DeleteOptions): object {
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

/** Objects from lists do not say what they are; the server wants to know. */
const typed = (resource: ResourceDefinition, object: object): object => ({
  ...object,
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
});

function scaleFrom(answer: JsonObject): Scale {
  const part = (name: string): JsonObject => {
    const value = answer[name];
    return isJsonObject(value) ? value : {};
  };
  const count = (value: unknown) => (typeof value === "number" ? value : 0);
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const { uid, resourceVersion } = part("metadata");
  const { replicas: present, selector } = part("status");
  return {
    uid: text(uid),
    resourceVersion: text(resourceVersion),
    wanted: count(part("spec").replicas),
    present: count(present),
    selector: text(selector),
  };
}
