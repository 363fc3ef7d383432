import type { ApiVerb, RequestInfo } from "../contracts.ts";
import { flag } from "../verbs/query.ts";

type Resource = Extract<RequestInfo, { kind: "resource" }>;

const verbs: Readonly<Record<string, ApiVerb | undefined>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Below a namespace these are parts of the namespace itself, not resources in it. */
const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

/** What a request's line tells. */
export interface RequestLine {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  /** `undefined` where the URL has none, which spares reading it. */
  readonly query: URLSearchParams | undefined;
}

/** Finds out what a request asks for. Paths outside `/api/VERSION/…` and `/apis/GROUP/VERSION/…` are no resources. */
export function parseRequest(line: RequestLine): RequestInfo {
  const parts = line.path.split("/").filter((part) => part !== "");
  const [prefix] = parts;
  if (prefix === "api" && parts.length >= 3)
    return resource(line, { group: "", version: parts[1] ?? "" }, parts.slice(2));
  if (prefix === "apis" && parts.length >= 4) {
    return resource(line, { group: parts[1] ?? "", version: parts[2] ?? "" }, parts.slice(3));
  }
  return { kind: "path", verb: line.method.toLowerCase(), path: line.path };
}

function resource(
  line: RequestLine,
  place: { readonly group: string; readonly version: string },
  steps: readonly string[],
): RequestInfo {
  let verb = verbs[line.method] ?? "connect";
  let rest = steps;
  let legacyWatch = false;
  if (rest[0] === "watch" && rest.length > 1) {
    legacyWatch = true;
    rest = rest.slice(1);
  }
  let namespace: string | undefined;
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1];
    // `namespaces/NAME` and `namespaces/NAME/status` are about the namespace.
    if (rest.length > 2 && !namespaceSubresources.has(rest[2] ?? "")) rest = rest.slice(2);
    else namespace = undefined;
  }
  const [plural = "", name, subresource] = rest;
  if (legacyWatch) verb = "watch";
  else if (name === undefined) verb = collectionVerb(verb, line.query);
  const named = name ?? nameFromSelector(verb, line.query);
  const asked = { kind: "resource", verb, ...place, plural, namespace, name: named, subresource } as const;
  if (line.query === undefined || !ofMany.has(verb)) return asked satisfies Resource;
  const fieldSelector = line.query.get("fieldSelector");
  const labelSelector = line.query.get("labelSelector");
  return {
    ...asked,
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  } satisfies Resource;
}

const ofMany: ReadonlySet<ApiVerb> = new Set(["list", "watch", "deletecollection"]);

function collectionVerb(verb: ApiVerb, query: URLSearchParams | undefined): ApiVerb {
  if (verb === "delete") return "deletecollection";
  if (verb !== "get") return verb;
  return query !== undefined && flag(query, "watch") ? "watch" : "list";
}

/** A list of the one object with a name is authorized like a read of it. */
function nameFromSelector(verb: ApiVerb, query: URLSearchParams | undefined): string | undefined {
  if (query === undefined || (verb !== "list" && verb !== "watch" && verb !== "deletecollection")) return undefined;
  const selector = query.get("fieldSelector");
  if (selector === null) return undefined;
  return /(?:^|,)metadata\.name==?([a-z0-9.:_-]+)(?:,|$)/i.exec(selector)?.[1];
}

const ofOne: ReadonlySet<string> = new Set(["get", "update", "patch", "delete"]);

/**
 * What is asked of authorization, of flow control and of the audit log: a namespace lies in itself there, so that who may read
 * everything in it may read the namespace, too.
 */
export function attributesOf(info: RequestInfo): RequestInfo {
  if (info.kind === "path" || info.plural !== "namespaces" || info.group !== "" || info.name === undefined) return info;
  return ofOne.has(info.verb) || info.subresource !== undefined ? { ...info, namespace: info.name } : info;
}
