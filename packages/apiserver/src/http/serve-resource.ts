import {
  type ObjectRef,
  type ResourceAction,
  type ResourceDefinition,
  refusals,
  StatusError,
  type SubresourceDefinition,
} from "@skiff/api";
import { forbidden } from "../authorization/access.ts";
import type { ServedObject } from "../cache/served-object.ts";
import type { ApiVerb, AuthorizationRequest, Authorizer, RequestInfo, UserInfo, WriteContext } from "../contracts.ts";
import { bodyFormat, patchTypeOf } from "../encoding/body-format.ts";
import { type Negotiated, negotiate } from "../encoding/negotiate.ts";
import { alsoServed } from "../encoding/protobuf/also-served.ts";
import type { BaseExchange } from "../exchange/base-exchange.ts";
import { createObject } from "../storage/create-object.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import { removeObject } from "../storage/remove-object.ts";
import { placeNew } from "../verbs/check-place.ts";
import { decodeBody, decodeDeleteOptions } from "../verbs/decode-body.ts";
import { listObjects } from "../verbs/list.ts";
import { listOptions, parseRevision, tooLargeRevision } from "../verbs/list-options.ts";
import { checkPatchOptions, parsePatchBody } from "../verbs/parse-patch.ts";
import { patchObject } from "../verbs/patch-object.ts";
import { flag, noQuery } from "../verbs/query.ts";
import { removeMany } from "../verbs/remove-many.ts";
import { removedStatus, returnsRemoved } from "../verbs/removed-status.ts";
import { selectionOf } from "../verbs/selection.ts";
import { updateObject } from "../verbs/update-object.ts";
import { deleteOptions, writeContext } from "../verbs/write-options.ts";
import type { Bookmarks } from "../watch/bookmarks.ts";
import type { EventEncoder } from "../watch/event-encoder.ts";
import { serveWatch } from "../watch/http-watch.ts";
import { respondList, respondObject } from "./respond-object.ts";
import { respondValue } from "./respond-value.ts";
import { warningHeader } from "./warning-header.ts";
import { watchEncoding } from "./watch-encoding.ts";

/** Kubernetes reads no larger bodies. */
const bodyLimitBytes = 3 * 1024 * 1024;

/** A request for a resource, authorized. */
export interface ResourceCall {
  readonly exchange: BaseExchange;
  readonly info: Extract<RequestInfo, { kind: "resource" }>;
  readonly user: UserInfo;
  readonly storage: ObjectStorage;
  readonly bookmarks: Bookmarks;
  readonly encoder: EventEncoder;
  readonly authorizer: Authorizer;
}

const actions: Readonly<Record<ApiVerb, ResourceAction>> = {
  get: "get",
  list: "list",
  watch: "list",
  create: "post",
  update: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "deletecollection",
  connect: "connect",
};

/** Answers a request for a resource by its verb. */
export async function serveResource(call: ResourceCall): Promise<void> {
  const { info, storage } = call;
  checkAllowed(call);
  const { deprecationWarning } = storage.resource;
  if (deprecationWarning !== undefined) call.exchange.setHeader("warning", warningHeader(deprecationWarning));
  if (info.verb === "watch") return await watch(call);
  // Before anything is done: who asks for what there is not must not have changed anything.
  const wanted = negotiate(call.exchange.headers.accept, alsoServed(storage));
  switch (info.verb) {
    case "get":
      return get(call, wanted);
    case "list":
      return await list(call, wanted);
    case "create":
      return await create(call, wanted);
    case "update":
      return await update(call, wanted);
    case "patch":
      return await patch(call, wanted);
    case "delete":
      return await remove(call, wanted);
    case "deletecollection":
      return await removeAll(call, wanted);
    default:
      throw methodNotAllowed();
  }
}

/** The server knows the place, but not what to do with the method there. */
export const methodNotAllowed = (): StatusError =>
  new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server does not allow this method on the requested resource",
    reason: "MethodNotAllowed",
    details: {},
    code: 405,
  });

const onlyByName: ReadonlySet<ApiVerb> = new Set(["get", "update", "patch", "delete"]);

function checkAllowed({ info, storage: { resource } }: ResourceCall): void {
  const inNamespace = info.namespace !== undefined;
  const forAll = info.verb === "list" || info.verb === "watch";
  if (resource.scope === "cluster" && inNamespace) throw refusals.noSuchPath();
  if (resource.scope === "namespaced" && !inNamespace && !forAll) {
    throw info.name === undefined ? methodNotAllowed() : refusals.noSuchPath();
  }
  // An object cannot be posted to, a collection be neither put nor patched.
  const misplaced =
    info.verb === "create" ? info.name !== undefined : onlyByName.has(info.verb) && info.name === undefined;
  if (misplaced && info.subresource === undefined) throw methodNotAllowed();
  const action = actions[info.verb];
  if (info.subresource === undefined) {
    if (!resource.actions.includes(action)) throw methodNotAllowed();
    return;
  }
  checkSubresource(resource, info);
}

/** Throws 404 for a subresource that there is not, 405 for a method that it does not take. What connects takes any. */
export function checkSubresource(resource: ResourceDefinition, info: ResourceCall["info"]): SubresourceDefinition {
  const subresource = resource.subresources.find(({ name }) => name === info.subresource);
  if (subresource === undefined) throw refusals.noSuchPath();
  const { actions: taken } = subresource;
  if (!taken.includes("connect") && !taken.includes(actions[info.verb])) throw methodNotAllowed();
  return subresource;
}

const refOf = ({ info: { namespace, name = "" } }: ResourceCall): ObjectRef => ({ namespace, name });

function get(call: ResourceCall, wanted: Negotiated): void | Promise<void> {
  const { exchange, storage } = call;
  const version = exchange.hasQuery ? (exchange.query.get("resourceVersion") ?? "") : "";
  const revision = version === "" ? 0 : parseRevision(version);
  const current = storage.environment.cache.revision;
  if (revision > current) throw tooLargeRevision(revision, current);
  const respond = (served: ServedObject) => respondObject(exchange, storage, { status: 200, served, wanted });
  const served = storage.load(refOf(call));
  if (served instanceof Promise) return served.then(respond);
  respond(served);
}

async function list({ exchange, info, storage }: ResourceCall, wanted: Negotiated): Promise<void> {
  const { query } = exchange;
  const options = listOptions(query, { watch: false });
  const list = await listObjects(storage, selectionOf(storage, query, info.namespace), options);
  respondList(exchange, storage, { list, wanted });
}

async function watch(call: ResourceCall): Promise<void> {
  const { exchange, info, storage, bookmarks } = call;
  const { query } = exchange;
  const options = listOptions(query, { watch: true });
  const selected = selectionOf(storage, query, info.namespace);
  // The old way to watch one object is by its address.
  const selection = info.name === undefined ? selected : { ...selected, only: storage.key(refOf(call)) };
  await serveWatch(exchange, { storage, selection, options, bookmarks }, watchEncoding(call));
}

function contextOf({ exchange, info, user, authorizer }: ResourceCall, kind: string): WriteContext {
  const context = writeContext(
    {
      query: exchange.hasQuery ? exchange.query : noQuery,
      user,
      userAgent: exchange.headers["user-agent"],
      annotate: exchange.annotate,
      warn: (text) => exchange.setHeader("warning", warningHeader(text)),
    },
    kind,
  );
  return {
    ...context,
    request: info,
    async authorizeCreate() {
      const access: AuthorizationRequest = { user, request: { ...info, verb: "create" } };
      const decision = await authorizer.authorize(access);
      if (decision.kind !== "allowed") throw forbidden(access, decision.reason);
    },
  };
}

async function textOf({ exchange }: ResourceCall): Promise<string> {
  return (await exchange.body(bodyLimitBytes)).toString("utf8");
}

async function create(call: ResourceCall, wanted: Negotiated): Promise<void> {
  const { exchange, info, storage } = call;
  const context = contextOf(call, "CreateOptions");
  const format = bodyFormat(exchange.headers["content-type"]);
  const object = decodeBody(storage, { text: await textOf(call), format }, context);
  placeNew(object, info.namespace);
  respondObject(exchange, storage, { status: 201, served: await createObject(storage, object, context), wanted });
}

async function update(call: ResourceCall, wanted: Negotiated): Promise<void> {
  const { exchange, info, storage } = call;
  const context = contextOf(call, "UpdateOptions");
  const format = bodyFormat(exchange.headers["content-type"]);
  const object = decodeBody(storage, { text: await textOf(call), format }, context);
  const written = await updateObject(storage, refOf(call), { object, context, subresource: info.subresource });
  respondObject(exchange, storage, { status: written.created ? 201 : 200, served: written.served, wanted });
}

async function patch(call: ResourceCall, wanted: Negotiated): Promise<void> {
  const { exchange, info, storage } = call;
  const type = patchTypeOf(exchange.headers["content-type"], storage.resource);
  const context = contextOf(call, "PatchOptions");
  const text = await textOf(call);
  const force = flag(exchange.query, "force");
  checkPatchOptions({ type, force, hasManager: (exchange.query.get("fieldManager") ?? "") !== "" });
  const body = parsePatchBody(type, text, context.fieldValidation);
  const { subresource } = info;
  const written = await patchObject(storage, refOf(call), { body, force: force ?? false, context, subresource });
  respondObject(exchange, storage, { status: written.created ? 201 : 200, served: written.served, wanted });
}

async function deletion(call: ResourceCall) {
  const { exchange, user } = call;
  const text = await textOf(call);
  const format = text === "" ? "json" : bodyFormat(exchange.headers["content-type"]);
  const options = deleteOptions(exchange.query, text === "" ? undefined : decodeDeleteOptions({ text, format }));
  const { annotate } = exchange;
  const source = { query: noQuery, user, userAgent: exchange.headers["user-agent"], annotate };
  const warn = (warning: string) => exchange.setHeader("warning", warningHeader(warning));
  const { request, dryRun, orphanDependents } = options;
  return { request, context: { ...writeContext({ ...source, warn }, "DeleteOptions"), dryRun }, orphanDependents };
}

async function remove(call: ResourceCall, wanted: Negotiated): Promise<void> {
  const { exchange, storage } = call;
  const how = await deletion(call);
  const { served, gone } = await removeObject(storage, refOf(call), how);
  if (gone && !returnsRemoved(storage.resource)) {
    const value = removedStatus(storage.resource, served.object);
    return respondValue(exchange, { status: 200, wanted, value });
  }
  // Only who asks in the old way hears that the deletion goes on.
  const accepted = !gone && how.orphanDependents === false;
  respondObject(exchange, storage, { status: accepted ? 202 : 200, served, wanted });
}

async function removeAll(call: ResourceCall, wanted: Negotiated): Promise<void> {
  const { exchange, info, storage } = call;
  const how = await deletion(call);
  const options = listOptions(exchange.query, { watch: false });
  const selection = selectionOf(storage, exchange.query, info.namespace);
  const list = await removeMany(storage, { selection, options }, how);
  respondList(exchange, storage, { list, wanted });
}
