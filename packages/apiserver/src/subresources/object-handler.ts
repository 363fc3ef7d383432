import type { ObjectRef } from "@skiff/api";
import { parseBody, refusals } from "@skiff/api";
import { assert, isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { ApiVerb, Exchange, RequestInfo, SubresourceHandler, WriteContext } from "../contracts.ts";
import { type AlsoServed, negotiate } from "../encoding/negotiate.ts";
import { respondValue } from "../http/respond-value.ts";
import { partialObject } from "../table/table.ts";
import { writeContext } from "../verbs/write-options.ts";

/** A call of a subresource by object: the same over HTTP and in process. */
export interface ObjectCall {
  readonly verb: ApiVerb;
  readonly ref: ObjectRef;
  readonly body: JsonObject | undefined;
  readonly context: WriteContext;
  /** Where the request is a patch that came over HTTP. In process `body` is a merge patch. */
  readonly patch?: { readonly type: string; readonly value: JsonValue };
}

type ResourceRequest = Extract<RequestInfo, { kind: "resource" }>;

/** The options that a method takes, as refusals of them call them. */
const optionsKinds: Readonly<Record<string, string>> = { PUT: "UpdateOptions", PATCH: "PatchOptions" };

const bodyLimit = 3 * 1024 * 1024;

/** The request's body. JSON or YAML; `undefined` where there is none. */
async function readBody(exchange: Exchange): Promise<JsonValue | undefined> {
  const bytes = await exchange.body(bodyLimit);
  if (bytes.length === 0) return undefined;
  const type = exchange.headers["content-type"] ?? "application/json";
  const text = bytes.toString("utf8");
  try {
    return parseBody(text, type.includes("yaml") ? "yaml" : "json").value;
  } catch (error) {
    throw refusals.badRequest(error instanceof Error ? error.message : "the body of the request cannot be read");
  }
}

/** What these handlers answer with is of built-in kinds, and no tables are made of it. */
const also: AlsoServed = { protobuf: true, tables: false };

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

/** Makes a function from body to body a subresource. */
export function objectHandler(serve: (call: ObjectCall) => Promise<JsonObject>): SubresourceHandler {
  return {
    async handle(exchange, info, user) {
      const request = resourceRequest(info);
      const { method } = exchange;
      const wanted = negotiate(exchange.headers.accept, also);
      const value = method === "GET" || method === "HEAD" ? undefined : await readBody(exchange);
      const context = writeContext(
        {
          query: exchange.query,
          user,
          userAgent: exchange.headers["user-agent"],
          warn: (text) => exchange.setHeader("warning", `299 - ${JSON.stringify(text)}`),
        },
        optionsKinds[method] ?? "CreateOptions",
      );
      const type = exchange.headers["content-type"]?.split(";")[0] ?? "";
      if (method !== "PATCH" && value !== undefined && !isJsonObject(value)) {
        throw refusals.badRequest("the body of the request is not an object");
      }
      const result = await serve({
        verb: request.verb,
        ref: refOf(request),
        body: isJsonObject(value) ? value : undefined,
        context,
        ...(method === "PATCH" && value !== undefined ? { patch: { type, value } } : {}),
      });
      const answer = wanted.form === "object" ? result : partialObject(result, wanted.metaVersion);
      respondValue(exchange, { status: method === "POST" ? 201 : 200, wanted, value: answer });
    },
    handleObject: serve,
  };
}
