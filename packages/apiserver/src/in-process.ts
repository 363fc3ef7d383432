import {
  apiVersionOf,
  type ObjectRef,
  patchTypes,
  qualifiedPlural,
  refusals,
  type Transport,
  type TransportRequest,
  type WatchEvent,
} from "@skiff/api";
import { deepCopy, isJsonObject, type JsonObject, type JsonValue, type Logger } from "@skiff/base";
import type { ApiVerb, SubresourceHandler, UserInfo, WriteContext } from "./contracts.ts";
import { patchTypeOf } from "./encoding/body-format.ts";
import { listMetadata } from "./encoding/list-body.ts";
import { asJson } from "./encoding/object-json.ts";
import { asStatusError } from "./http/respond-error.ts";
import { methodNotAllowed } from "./http/serve-resource.ts";
import type { StandardParts } from "./standard-parts-options.ts";
import { createObject } from "./storage/create-object.ts";
import { freshFor } from "./storage/fresh-for.ts";
import type { ObjectStorage } from "./storage/object-storage.ts";
import { removeObject } from "./storage/remove-object.ts";
import type { StorageTable } from "./storage/storage-table.ts";
import { customScale } from "./subresources/custom-scale.ts";
import { placeNew } from "./verbs/check-place.ts";
import { withMetadata } from "./verbs/decode-body.ts";
import { listObjects, type ObjectList } from "./verbs/list.ts";
import { listOptions } from "./verbs/list-options.ts";
import { checkPatchOptions, patchBodyOf } from "./verbs/parse-patch.ts";
import { patchObject } from "./verbs/patch-object.ts";
import { flag, type Query, queryOf } from "./verbs/query.ts";
import { removeMany } from "./verbs/remove-many.ts";
import { removedStatus, returnsRemoved } from "./verbs/removed-status.ts";
import { selectionOf } from "./verbs/selection.ts";
import { updateObject } from "./verbs/update-object.ts";
import { deleteOptions, writeContext } from "./verbs/write-options.ts";
import { WatchMailbox } from "./watch/watch-mailbox.ts";

/** What a transport in process works on. */
export interface InProcessOptions {
  readonly parts: Pick<StandardParts, "subresources" | "virtualResources">;
  readonly table: StorageTable;
  readonly logger: Logger;
  readonly user: UserInfo;
}

/**
 * The API without HTTP, for components in the server's process: the same verbs, admission, validation and refusals, but no
 * authentication, no authorization and no encoding. What it hands out is shared and frozen.
 */
export class InProcessTransport implements Transport {
  readonly #options: InProcessOptions;

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  async send(request: TransportRequest, signal: AbortSignal): Promise<JsonObject> {
    signal.throwIfAborted();
    try {
      return await this.#dispatch(request);
    } catch (error) {
      throw asStatusError(error, this.#options.logger);
    }
  }

  async *watch(request: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    signal.throwIfAborted();
    const storage = this.#storageOf(request);
    const query = queryOf(request.query);
    const fresh = freshFor(storage, query);
    if (fresh !== undefined) await fresh;
    const options = listOptions(query, { watch: true });
    const selection = selectionOf(storage, query, request.namespace);
    if (signal.aborted) return;
    using events = new WatchMailbox({ storage, selection, options });
    let stopped = false;
    const stop = () => {
      stopped = true;
      events.end();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (let taken = await events.take(); taken !== undefined; taken = await events.take()) {
        for (const event of taken) {
          if (stopped) return;
          yield event;
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #storageOf(request: TransportRequest): ObjectStorage {
    const storage = this.#options.table.find(request);
    if (storage === undefined) throw refusals.noSuchPath();
    return storage;
  }

  async #dispatch(request: TransportRequest): Promise<JsonObject> {
    const known = this.#options.table.find(request);
    const fresh = known && freshFor(known, queryOf(request.query));
    if (fresh !== undefined) await fresh;
    const handled = this.#handlerOf(request);
    if (handled !== undefined) return await handled;
    const storage = this.#storageOf(request);
    const { namespace, name = "" } = request;
    const call: Call = {
      request,
      storage,
      query: queryOf(request.query),
      ref: { namespace, name },
      context: (kind) => this.#context(request, kind),
    };
    return await verbs[request.verb](call);
  }

  /** Subresources and resources with a handler of their own. */
  #handlerOf(request: TransportRequest): Promise<JsonObject> | undefined {
    const { parts } = this.#options;
    const { namespace, name = "", subresource, verb, body } = request;
    const qualified = qualifiedPlural(request);
    const handler =
      subresource === undefined
        ? parts.virtualResources.get(qualified)
        : (parts.subresources.get(`${qualified}/${subresource}`) ?? this.#customScale(request));
    if (handler === undefined) return undefined;
    if (handler.handleObject === undefined) throw methodNotAllowed();
    const copy: unknown = deepCopy(body);
    return handler.handleObject({
      verb: verb satisfies ApiVerb,
      ref: { namespace, name },
      body: isJsonObject(copy) ? copy : undefined,
      context: this.#context(request, "UpdateOptions"),
    });
  }

  #customScale(request: TransportRequest): SubresourceHandler | undefined {
    const storage = this.#options.table.find(request);
    return storage === undefined ? undefined : customScale(storage, request.subresource);
  }

  #context({ query }: TransportRequest, kind: string): WriteContext {
    const { user } = this.#options;
    return writeContext({ query: queryOf(query), user, userAgent: user.name, warn: () => {} }, kind);
  }
}

interface Call {
  readonly request: TransportRequest;
  readonly storage: ObjectStorage;
  readonly query: Query;
  readonly ref: ObjectRef;
  context(kind: string): WriteContext;
}

const isJson = (_value: unknown): _value is JsonValue => true;

/**
 * As `bodyOf` for an object out of a cache, but with those frozen parts as they are that the write does not change in place: managed
 * fields, which are half of many an object, and beside a status everything but metadata.
 */
function withoutCopying({ body, subresource }: TransportRequest): JsonValue | undefined {
  if (!isJsonObject(body) || !isJsonObject(body.metadata)) return undefined;
  const { managedFields, ...metadata } = body.metadata;
  if (managedFields === undefined || !Object.isFrozen(managedFields)) return undefined;
  const copy: JsonObject = { ...body, metadata: { ...deepCopy(metadata), managedFields } };
  for (const name in copy) {
    const stays = name === "metadata" || (subresource === "status" && name !== "status" && Object.isFrozen(copy[name]));
    if (!stays) copy[name] = deepCopy(copy[name]);
  }
  return copy;
}

/** The body as the server's own: what a caller sent may be shared with others and frozen. */
function bodyOf({ request }: Call): JsonValue {
  const copy: unknown = deepCopy(request.body ?? null);
  return isJson(copy) ? copy : null;
}

function objectOf(call: Call) {
  const body = withoutCopying(call.request) ?? bodyOf(call);
  if (!isJsonObject(body)) throw refusals.badRequest("the body of the request is not an object");
  return withMetadata(body);
}

const verbs: Readonly<Record<TransportRequest["verb"], (call: Call) => Promise<JsonObject>>> = {
  get: async ({ storage, ref }) => asJson((await storage.load(ref)).object),
  async list({ storage, query, request }) {
    const selection = selectionOf(storage, query, request.namespace);
    return listObject(storage, await listObjects(storage, selection, listOptions(query, { watch: false })));
  },
  async create(call) {
    const object = objectOf(call);
    placeNew(object, call.request.namespace);
    return asJson((await createObject(call.storage, object, call.context("CreateOptions"))).object);
  },
  async update(call) {
    const object = objectOf(call);
    const context = call.context("UpdateOptions");
    const { subresource } = call.request;
    return asJson((await updateObject(call.storage, call.ref, { object, context, subresource })).served.object);
  },
  async patch(call) {
    const { request, query, storage, ref } = call;
    const type = patchTypeOf(patchTypes[request.patchType ?? "merge"], storage.resource);
    const force = flag(query, "force");
    checkPatchOptions({ type, force, hasManager: (query.get("fieldManager") ?? "") !== "" });
    const body = patchBodyOf(type, bodyOf(call));
    const context = call.context("PatchOptions");
    const patch = { body, force: force ?? false, context, subresource: request.subresource };
    return asJson((await patchObject(storage, ref, patch)).served.object);
  },
  async delete(call) {
    const { storage, ref } = call;
    const { served, gone } = await removeObject(storage, ref, deletionOf(call));
    return gone && !returnsRemoved(storage.resource)
      ? removedStatus(storage.resource, served.object)
      : asJson(served.object);
  },
  async deletecollection(call) {
    const { storage, query, request } = call;
    const selection = selectionOf(storage, query, request.namespace);
    const options = listOptions(query, { watch: false });
    return listObject(storage, await removeMany(storage, { selection, options }, deletionOf(call)));
  },
};

function deletionOf(call: Call) {
  const body = bodyOf(call);
  const { request, dryRun } = deleteOptions(call.query, isJsonObject(body) ? body : undefined);
  return { request, context: { ...call.context("DeleteOptions"), dryRun } };
}

function listObject({ resource }: ObjectStorage, list: ObjectList): JsonObject {
  return {
    kind: resource.listKind,
    apiVersion: apiVersionOf(resource),
    metadata: listMetadata(list),
    items: list.items.map(({ object }) => asJson(object)),
  };
}
