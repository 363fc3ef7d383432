import { type FieldError, fieldError, refusals, StatusError } from "@skiff/api";
import { flag, type Query, wholeNumber } from "./query.ts";
import { refuseOptions } from "./write-options.ts";

/** Options of a list or a watch, selectors aside. */
export interface ListOptions {
  /** 0: all. */
  readonly limit: number;
  readonly continueToken: string;
  /** `undefined`: none was given. */
  readonly revision: number | undefined;
  readonly match: "Exact" | "NotOlderThan" | undefined;
  readonly sendInitialEvents: boolean | undefined;
  readonly bookmarks: boolean;
  /** Until a watch is ended; `undefined`: as long as the server likes. */
  readonly timeoutMs: number | undefined;
}

/** Reads the options of a list or watch. Throws 400 and 422 as Kubernetes does. */
export function listOptions(query: Query, options: { readonly watch: boolean }): ListOptions {
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  const sendInitialEvents = flag(query, "sendInitialEvents");
  const continueToken = query.get("continue") ?? "";
  refuseOptions("ListOptions", [
    ...matchErrors({ version, match, continueToken, initial: sendInitialEvents, watch: options.watch }),
  ]);
  const timeoutSeconds = wholeNumber(query, "timeoutSeconds") ?? 0;
  return {
    limit: Math.max(0, wholeNumber(query, "limit") ?? 0),
    continueToken,
    revision: version === "" ? undefined : parseRevision(version),
    match: match === "Exact" || match === "NotOlderThan" ? match : undefined,
    sendInitialEvents,
    bookmarks: flag(query, "allowWatchBookmarks") ?? false,
    timeoutMs: timeoutSeconds === 0 ? undefined : Math.max(0, timeoutSeconds * 1000),
  };
}

/** A resourceVersion as a number. Throws 400 for what is none. */
export function parseRevision(text: string): number {
  const revision = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(revision)) return revision;
  throw refusals.badRequest(
    `invalid resource version ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

interface Versions {
  readonly version: string;
  readonly match: string;
  readonly continueToken: string;
  readonly initial: boolean | undefined;
  readonly watch: boolean;
}

const matchField = "resourceVersionMatch";

function* matchErrors({ version, match, continueToken, initial, watch }: Versions): Generator<FieldError> {
  if (watch) {
    if (initial === undefined) {
      if (match !== "") yield fieldError.forbidden(matchField, "resourceVersionMatch is forbidden for watch");
      return;
    }
    if (match !== "NotOlderThan") {
      yield fieldError.forbidden(matchField, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    return;
  }
  if (initial !== undefined) {
    yield fieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
  }
  if (match === "") return;
  if (version === "") {
    yield fieldError.forbidden(matchField, "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (continueToken !== "") {
    yield fieldError.forbidden(matchField, "resourceVersionMatch is forbidden when continue is provided");
  }
  if (match !== "Exact" && match !== "NotOlderThan") {
    yield fieldError.notSupported(matchField, match, ["Exact", "NotOlderThan", ""]);
  }
  if (match === "Exact" && version === "0") {
    yield fieldError.forbidden(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

/** A read at a revision that is not there yet (504). */
export function tooLargeRevision(wanted: number, current: number): StatusError {
  const { status } = refusals.timeout(`Too large resource version: ${wanted}, current: ${current}`, 1);
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new StatusError({ ...status, details: { ...status.details, causes } });
}
