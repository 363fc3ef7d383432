import { type FieldError, fieldError, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { DeleteRequest, UserInfo, WriteContext } from "../contracts.ts";
import { flag, type Query, values, wholeNumber } from "./query.ts";

/** What the options of a write come from. */
export interface WriteSource {
  readonly query: Query;
  readonly user: UserInfo;
  readonly userAgent: string | undefined;
  warn(text: string): void;
  readonly annotate?: WriteContext["annotate"];
}

/** All that Go does not count as printable: of spaces only the plain one is. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

const fieldValidations = ["Ignore", "Strict", "Warn"] as const;

/**
 * Reads `dryRun`, `fieldManager` and `fieldValidation`. Throws 422 for values that there are not; `kind` is the options'
 * kind: `CreateOptions`, `UpdateOptions`, `PatchOptions`.
 */
export function writeContext(source: WriteSource, kind: string): WriteContext {
  const { query, user } = source;
  const errors: FieldError[] = [];
  const dryRun = values(query, "dryRun");
  if (dryRun.some((value) => value !== "All")) errors.push(fieldError.notSupported("dryRun", [...dryRun], ["All"]));
  const manager = query.get("fieldManager") ?? "";
  if (manager !== "") checkManager(manager, errors);
  const asked = query.get("fieldValidation") ?? "";
  const fieldValidation = asked === "" ? "Warn" : fieldValidations.find((value) => value === asked);
  if (fieldValidation === undefined) {
    errors.push(fieldError.notSupported("fieldValidation", asked, fieldValidations));
  }
  refuseOptions(kind, errors);
  return {
    user,
    fieldManager: manager === "" ? managerOf(source.userAgent) : manager,
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation ?? "Warn",
    warn: once((text) => source.warn(text)),
    annotate: source.annotate,
  };
}

function checkManager(manager: string, errors: FieldError[]): void {
  if (Buffer.byteLength(manager) > 128) errors.push(fieldError.tooLong("fieldManager", 128));
  for (const { index, 0: character } of manager.matchAll(unprintable)) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const at = Buffer.byteLength(manager.slice(0, index));
    errors.push(fieldError.invalid("fieldManager", manager, `invalid character U+${code} (at position ${at})`));
  }
}

/** A client is told the same only once, however often an update starts over. */
function once(warn: (text: string) => void): (text: string) => void {
  let said: Set<string> | undefined;
  return (text) => {
    said ??= new Set();
    if (said.has(text)) return;
    said.add(text);
    warn(text);
  };
}

/** Throws 422 where options have findings. */
export function refuseOptions(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw refusals.invalid({ group: "meta.k8s.io", kind, name: "" }, errors);
}

/** Who writes without saying a name is known by the program: `kubectl/v1.36.0 (linux/amd64)` is `kubectl`. */
function managerOf(userAgent: string | undefined): string {
  const program = (userAgent ?? "").split("/")[0] ?? "";
  return program === "" ? "unknown" : program.slice(0, 128);
}

const policies = ["Background", "Foreground", "Orphan"] as const;

/** The options of a deletion. */
export interface DeleteOptions {
  readonly request: DeleteRequest;
  readonly dryRun: boolean;
  /** The old word for the propagation policy, as it was said. */
  readonly orphanDependents: boolean | undefined;
}

/** Reads the options of a deletion: from the body where there is one (a `DeleteOptions`), else from the query. Throws 422. */
export function deleteOptions(query: Query, body: JsonObject | undefined): DeleteOptions {
  const errors: FieldError[] = [];
  const { grace, asked, orphan, dryRun } = body === undefined ? saidInQuery(query) : saidInBody(body);
  const policy = policies.find((name) => name === asked);
  if (asked !== undefined && orphan !== undefined) {
    errors.push(
      fieldError.invalid("propagationPolicy", asked, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  if (asked !== undefined && policy === undefined) {
    errors.push(fieldError.notSupported("propagationPolicy", asked, ["Foreground", "Background", "Orphan", "nil"]));
  }
  if (dryRun.some((value) => value !== "All")) errors.push(fieldError.notSupported("dryRun", [...dryRun], ["All"]));
  refuseOptions("DeleteOptions", errors);
  const propagationPolicy = policy ?? (orphan === undefined ? undefined : orphan ? "Orphan" : "Background");
  const preconditions = preconditionsOf(body);
  return {
    dryRun: dryRun.length > 0,
    orphanDependents: orphan,
    request: {
      // Less than nothing is as soon as can be, which is not the same as without waiting.
      ...(grace === undefined ? {} : { gracePeriodSeconds: grace < 0 ? 1 : grace }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
  };
}

interface SaidOfDeletion {
  readonly grace: number | undefined;
  readonly asked: string | undefined;
  readonly orphan: boolean | undefined;
  readonly dryRun: readonly JsonValue[];
}

const saidInBody = (body: JsonObject): SaidOfDeletion => ({
  grace: numberOf(body.gracePeriodSeconds),
  asked: textOf(body.propagationPolicy),
  orphan: booleanOf(body.orphanDependents),
  dryRun: Array.isArray(body.dryRun) ? body.dryRun : [],
});

const saidInQuery = (query: Query): SaidOfDeletion => ({
  grace: wholeNumber(query, "gracePeriodSeconds"),
  asked: query.get("propagationPolicy") ?? undefined,
  orphan: flag(query, "orphanDependents"),
  dryRun: values(query, "dryRun"),
});

function preconditionsOf(body: JsonObject | undefined): DeleteRequest["preconditions"] {
  if (!isJsonObject(body?.preconditions)) return undefined;
  const uid = textOf(body.preconditions.uid);
  const resourceVersion = textOf(body.preconditions.resourceVersion);
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? Math.trunc(value) : undefined);
const booleanOf = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
