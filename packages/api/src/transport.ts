import type { JsonObject, JsonValue } from "@skiff/base";
import type { WatchEvent } from "./object.ts";

/** Media types of the four kinds of patch. */
export const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export type PatchType = keyof typeof patchTypes;

/** What a request does. `connect` requests are not made through a transport. */
export type RequestVerb = "get" | "list" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** Where a request goes: `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/SUBRESOURCE`. */
export interface RequestPath {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** One call of the API, before any encoding. */
export interface TransportRequest extends RequestPath {
  readonly verb: RequestVerb;
  /** Query parameters as the API names them: `labelSelector`, `fieldManager`, `dryRun`, `limit`, … */
  readonly query?: Readonly<Record<string, string>>;
  /** The object, `DeleteOptions`, or the patch. Objects that were sent belong to the server: do not change them afterwards. */
  readonly body?: JsonValue | object;
  /** Only with verb `patch`. */
  readonly patchType?: PatchType;
}

/**
 * The way to an API server: in the same process (objects are shared, frozen, never serialised) or over HTTPS.
 * Both refuse with `StatusError`.
 */
export interface Transport {
  send(request: TransportRequest, signal: AbortSignal): Promise<JsonObject>;
  /** Sends a `list` request as a watch. Ends when the server ends it; throws `StatusError` for refusals and ERROR events. */
  watch(request: TransportRequest, signal: AbortSignal): AsyncIterable<WatchEvent>;
}
