import { type FieldError, fieldError, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject } from "@skiff/base";
import type { DeleteRequest, UserInfo, WriteContext } from "../contracts.ts";
import { flag, type Query, wholeNumber } from "./query.ts";

/** What the options of a write come from. */
export interface WriteSource {
  readonly query: Query;
  readonly user: UserInfo;
  readonly userAgent: string | undefined;
  warn(text: string): void;
}

const fieldValidations = ["Ignore", "Strict", "Warn"] as const;

/**
 * Reads `dryRun`, `fieldManager` and `fieldValidation`. Throws 422 for values that there are not; `kind` is the options'
 * kind: `CreateOptions`, `UpdateOptions`, `PatchOptions`.
 */
export function writeContext(source: WriteSource, kind: string): WriteContext {
  const { query, user } = source;
  const errors: FieldError[] = [];
  const dryRun = query.get("dryRun") ?? "";
  if (dryRun !== "" && dryRun !== "All") errors.push(fieldError.notSupported("dryRun", [dryRun], ["All"]));
  const manager = query.get("fieldManager") ?? "";
  if (Buffer.byteLength(manager) > 128) errors.push(fieldError.tooLong("fieldManager", 128));
  else if (/[^\P{C}]/u.test(manager)) {
    errors.push(fieldError.invalid("fieldManager", manager, "should only contain printable characters"));
  }
  const asked = query.get("fieldValidation") ?? "";
  const fieldValidation = fieldValidations.find((value) => value === (asked === "" ? "Warn" : asked));
  if (fieldValidation === undefined) {
    errors.push(fieldError.notSupported("fieldValidation", asked, fieldValidations));
  }
  refuseOptions(kind, errors);
  return {
    user,
    fieldManager: manager === "" ? managerOf(source.userAgent) : manager,
    dryRun: dryRun === "All",
    fieldValidation: fieldValidation ?? "Warn",
    warn: once((text) => source.warn(text)),
  };
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

/** Reads the options of a deletion: those in the body win over those in the query. `body` is a `DeleteOptions` or absent. */
export function deleteRequest(
  query: Query,
  body: JsonObject | undefined,
): DeleteRequest & { readonly dryRun: boolean } {
  const errors: FieldError[] = [];
  const grace = numberOf(body?.gracePeriodSeconds) ?? wholeNumber(query, "gracePeriodSeconds");
  const asked = textOf(body?.propagationPolicy) ?? query.get("propagationPolicy") ?? undefined;
  const orphan = booleanOf(body?.orphanDependents) ?? flag(query, "orphanDependents");
  const policy = policies.find((name) => name === asked);
  if (asked !== undefined && asked !== "" && policy === undefined) {
    errors.push(fieldError.notSupported("propagationPolicy", asked, ["Foreground", "Background", "Orphan", "nil"]));
  }
  if (asked !== undefined && orphan !== undefined) {
    errors.push(
      fieldError.invalid("propagationPolicy", asked, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  const dryRun = Array.isArray(body?.dryRun) ? body.dryRun : [query.get("dryRun") ?? ""];
  const wrong = dryRun.filter((value) => value !== "" && value !== "All");
  if (wrong.length > 0) errors.push(fieldError.notSupported("dryRun", dryRun, ["All"]));
  refuseOptions("DeleteOptions", errors);
  const propagationPolicy = policy ?? (orphan === undefined ? undefined : orphan ? "Orphan" : "Background");
  const preconditions = preconditionsOf(body);
  return {
    dryRun: dryRun.includes("All"),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

function preconditionsOf(body: JsonObject | undefined): DeleteRequest["preconditions"] {
  if (!isJsonObject(body?.preconditions)) return undefined;
  const uid = textOf(body.preconditions.uid);
  const resourceVersion = textOf(body.preconditions.resourceVersion);
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? Math.trunc(value) : undefined);
const booleanOf = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
