import {
  decodeObject,
  definitionSchema,
  type ObjectRef,
  parseBody,
  type ResourceDefinition,
  refusals,
} from "@skiff/api";
import { assert, type Clock, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ApiVerb, Exchange, RequestInfo, SubresourceHandler, WriteContext } from "../contracts.ts";
import { bodyFormat, patchTypeOf } from "../encoding/body-format.ts";
import { type AlsoServed, type Negotiated, negotiate } from "../encoding/negotiate.ts";
import { asObject } from "../encoding/object-json.ts";
import { includedObject } from "../http/respond-object.ts";
import { respondValue } from "../http/respond-value.ts";
import { warningHeader } from "../http/warning-header.ts";
import { partialObject, tableOf } from "../table/table.ts";
import { warnOf } from "../verbs/decode-body.ts";
import { checkPatchOptions, type PatchBody, parsePatchBody } from "../verbs/parse-patch.ts";
import { flag } from "../verbs/query.ts";
import { writeContext } from "../verbs/write-options.ts";

/** A call of a subresource by object: the same over HTTP and in process. */
export interface ObjectCall {
  readonly verb: ApiVerb;
  readonly ref: ObjectRef;
  readonly body: JsonObject | undefined;
  readonly context: WriteContext;
  /** Where the request is a patch that came over HTTP. In process `body` is a merge patch. */
  readonly patch?: { readonly body: PatchBody; readonly force: boolean };
}

type ResourceRequest = Extract<RequestInfo, { kind: "resource" }>;

/** The options that a method takes, as refusals of them call them. */
const optionsKinds: Readonly<Record<string, string>> = { PUT: "UpdateOptions", PATCH: "PatchOptions" };

const bodyLimit = 3 * 1024 * 1024;

/** What a body is an object of: it is read by its schema. */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** `autoscaling.v1.Scale` */
  readonly definition: string;
}

async function readText(exchange: Exchange): Promise<string> {
  return (await exchange.body(bodyLimit)).toString("utf8");
}

/** The request's body. `undefined` where there is none. */
async function readBody(exchange: Exchange, of: BodyKind | undefined, context: WriteContext) {
  const text = await readText(exchange);
  if (text === "") return undefined;
  const format = bodyFormat(exchange.headers["content-type"]);
  if (of !== undefined) {
    const { fieldValidation } = context;
    const { value, strictErrors } = decodeObject({
      ...of,
      text,
      format,
      schema: definitionSchema(of.definition),
      fieldValidation,
    });
    warnOf(strictErrors, context);
    return value;
  }
  const value = untyped(text, format);
  if (isJsonObject(value)) return value;
  throw refusals.badRequest("the body of the request is not an object");
}

function untyped(text: string, format: "json" | "yaml"): JsonValue {
  try {
    return parseBody(text, format).value;
  } catch (error) {
    throw refusals.badRequest(error instanceof Error ? error.message : "the body of the request cannot be read");
  }
}

async function readPatch(exchange: Exchange, context: WriteContext): Promise<NonNullable<ObjectCall["patch"]>> {
  const type = patchTypeOf(exchange.headers["content-type"]);
  const force = flag(exchange.query, "force");
  const text = await readText(exchange);
  checkPatchOptions({ type, force, hasManager: (exchange.query.get("fieldManager") ?? "") !== "" });
  return { body: parsePatchBody(type, text, context.fieldValidation), force: force ?? false };
}

/** What these handlers answer with is of built-in kinds; of few are tables made. */
const also: AlsoServed = { protobuf: true, tables: false };
const alsoTables: AlsoServed = { protobuf: true };

/** What tables of a handler's answers are made with. */
export interface AnswerTable {
  readonly columns: ResourceDefinition["columns"];
  readonly clock: Clock;
}

/** The place of a request's object. */
export function refOf(request: ResourceRequest): ObjectRef {
  const { namespace, name = "" } = request;
  return namespace === undefined ? { name } : { namespace, name };
}

/** Narrows to a request for a resource: the only ones that subresources get. */
export function resourceRequest(request: RequestInfo): ResourceRequest {
  assert(request.kind === "resource", "subresources are asked for by resource");
  return request;
}

/** Makes a function from body to body a subresource. `of` is what the bodies of its creations and updates are. */
export function objectHandler(
  serve: (call: ObjectCall) => Promise<JsonObject>,
  of?: BodyKind,
  table?: AnswerTable,
): SubresourceHandler {
  return {
    async handle(exchange, info, user) {
      const request = resourceRequest(info);
      const { method } = exchange;
      const wanted = negotiate(exchange.headers.accept, table === undefined ? also : alsoTables);
      const source = {
        query: exchange.query,
        user,
        userAgent: exchange.headers["user-agent"],
        annotate: exchange.annotate,
        warn: (text: string) => exchange.setHeader("warning", warningHeader(text)),
      };
      const context = writeContext(source, optionsKinds[method] ?? "CreateOptions");
      const patch = method === "PATCH" ? await readPatch(exchange, context) : undefined;
      const reads = method === "GET" || method === "HEAD" || patch !== undefined;
      const result = await serve({
        verb: request.verb,
        ref: refOf(request),
        body: reads ? undefined : await readBody(exchange, of, context),
        context,
        ...(patch === undefined ? {} : { patch }),
      });
      const value = shapedAnswer(exchange, result, { wanted, table });
      respondValue(exchange, { status: method === "POST" ? 201 : 200, wanted, value });
    },
    handleObject: serve,
  };
}

function shapedAnswer(
  exchange: Exchange,
  result: JsonObject,
  { wanted, table }: { readonly wanted: Negotiated; readonly table: AnswerTable | undefined },
): JsonObject {
  const { form, metaVersion } = wanted;
  if (form === "object") return result;
  if (form !== "table" || table === undefined) return partialObject(result, metaVersion);
  const object = asObject(result);
  const { resourceVersion } = object.metadata;
  const context = { nowMs: table.clock.now() };
  return tableOf(
    [object],
    { resourceVersion },
    { resource: table, include: includedObject(exchange), metaVersion, context },
  );
}
