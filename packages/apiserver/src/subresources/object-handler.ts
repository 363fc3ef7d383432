import type { ObjectRef } from "@skiff/api";
import { refusals } from "@skiff/api";
import { assert, isJsonObject, type JsonObject } from "@skiff/base";
import { parse } from "yaml";
import type { ApiVerb, Exchange, RequestInfo, SubresourceHandler, UserInfo, WriteContext } from "../contracts.ts";

/** A call of a subresource by object: the same over HTTP and in process. */
export interface ObjectCall {
  readonly verb: ApiVerb;
  readonly ref: ObjectRef;
  readonly body: JsonObject | undefined;
  readonly context: WriteContext;
  /** How `body` of a patch is meant; a merge patch where absent. */
  readonly patchType?: string;
}

type ResourceRequest = Extract<RequestInfo, { kind: "resource" }>;

const bodyLimit = 3 * 1024 * 1024;

/** The request's body as an object. JSON or YAML. */
export async function readObject(exchange: Exchange): Promise<JsonObject | undefined> {
  const bytes = await exchange.body(bodyLimit);
  if (bytes.length === 0) return undefined;
  const type = exchange.headers["content-type"] ?? "application/json";
  let value: unknown;
  try {
    value = type.includes("yaml") ? parse(bytes.toString("utf8")) : JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw refusals.badRequest(error instanceof Error ? error.message : "the body of the request cannot be read");
  }
  if (Array.isArray(value)) return { patch: value };
  if (!isJsonObject(value)) throw refusals.badRequest("the body of the request is not an object");
  return value;
}

/** Options of a write from the query. `warn` becomes a header. */
export function writeContext(exchange: Exchange, user: UserInfo): WriteContext {
  const { query } = exchange;
  const validation = query.get("fieldValidation");
  return {
    user,
    fieldManager: query.get("fieldManager") ?? managerFrom(exchange.headers["user-agent"]),
    dryRun: query.getAll("dryRun").includes("All"),
    fieldValidation: validation === "Strict" || validation === "Ignore" ? validation : "Warn",
    warn: (text) => exchange.setHeader("warning", `299 - ${JSON.stringify(text)}`),
  };
}

/** Without a `fieldManager` the program's name is taken: `kubectl/v1.36.0 (linux/amd64)` is `kubectl`. */
const managerFrom = (agent: string | undefined): string => agent?.split(/[/ ]/)[0] || "unknown";

/** Answers with an object; status 201 for creations. */
export function answerObject(exchange: Exchange, status: number, body: JsonObject): void {
  exchange.respond({ status, contentType: "application/json", body: JSON.stringify(body) });
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

/** Makes a function from body to body a subresource. */
export function objectHandler(serve: (call: ObjectCall) => Promise<JsonObject>): SubresourceHandler {
  return {
    async handle(exchange, info, user) {
      const request = resourceRequest(info);
      const body = exchange.method === "GET" ? undefined : await readObject(exchange);
      const context = writeContext(exchange, user);
      const patchType = exchange.method === "PATCH" ? exchange.headers["content-type"]?.split(";")[0] : undefined;
      const result = await serve({
        verb: request.verb,
        ref: refOf(request),
        body,
        context,
        ...(patchType === undefined ? {} : { patchType }),
      });
      answerObject(exchange, exchange.method === "POST" ? 201 : 200, result);
    },
    handleObject: serve,
  };
}
