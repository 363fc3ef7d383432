import { isJsonObject, type JsonObject, type JsonValue, timestamp } from "@skiff/base";
import { type FieldSet, isEmptySet, unionOf } from "./field-set.ts";

/** One entry of `metadata.managedFields`. */
export interface OwnerEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** RFC 3339. */
  readonly time: string | undefined;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly fields: FieldSet;
}

/** Who writes, with what version of the kind, and when. */
export interface FieldWriter {
  /** The field manager's name: the query parameter `fieldManager`, else the first part of the user agent. */
  readonly manager: string;
  /** `apps/v1` */
  readonly apiVersion: string;
  /** `status`, `scale`, …; absent for the object itself. */
  readonly subresource?: string | undefined;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** Reads `metadata.managedFields`, or `undefined` when it is there but makes no sense. */
export function readEntries(managedFields: JsonValue | undefined): OwnerEntry[] | undefined {
  if (managedFields === undefined || managedFields === null) return [];
  if (!Array.isArray(managedFields)) return undefined;
  const entries: OwnerEntry[] = [];
  for (const item of managedFields) {
    if (!isJsonObject(item)) return undefined;
    const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = item;
    if (operation !== "Apply" && operation !== "Update") return undefined;
    if (fieldsType !== "FieldsV1" || typeof apiVersion !== "string") return undefined;
    entries.push({
      manager: typeof manager === "string" ? manager : "",
      operation,
      apiVersion,
      time: typeof time === "string" ? time : undefined,
      subresource: typeof subresource === "string" ? subresource : "",
      fields: isJsonObject(fieldsV1) ? fieldsV1 : {},
    });
  }
  return entries;
}

/** Appliers are known whatever version they applied in; updates are told apart by version too. */
export const identityOf = (entry: Omit<OwnerEntry, "time" | "fields">): string =>
  JSON.stringify([
    entry.manager,
    entry.operation,
    entry.operation === "Apply" ? "" : entry.apiVersion,
    entry.subresource,
  ]);

export function writerEntry(writer: FieldWriter, operation: "Apply" | "Update", fields: FieldSet): OwnerEntry {
  return {
    manager: writer.manager,
    operation,
    apiVersion: writer.apiVersion,
    time: timestamp(writer.nowMs),
    subresource: writer.subresource ?? "",
    fields,
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As stored: without empty entries, in Kubernetes' order, at most ten entries of updates. */
export function writeEntries(entries: readonly OwnerEntry[]): JsonObject[] {
  return cap(entries.filter((entry) => !isEmptySet(entry.fields)))
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? "", b.time ?? "") ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map(storedEntry);
}

/** One entry as stored. */
export const storedEntry = (entry: OwnerEntry): JsonObject => ({
  manager: entry.manager,
  operation: entry.operation,
  apiVersion: entry.apiVersion,
  ...(entry.time === undefined ? {} : { time: entry.time }),
  fieldsType: "FieldsV1",
  fieldsV1: entry.fields,
  ...(entry.subresource === "" ? {} : { subresource: entry.subresource }),
});

const mostUpdaters = 10;
const ancient = "ancient-changes";

/** Joins the oldest updates, version by version, until there are few enough. */
function cap(entries: readonly OwnerEntry[]): OwnerEntry[] {
  const updates = entries.filter((entry) => entry.operation === "Update");
  let excess = updates.length - mostUpdaters;
  if (excess <= 0) return [...entries];
  updates.sort((a, b) => compareText(a.time ?? "", b.time ?? "") || compareText(a.manager, b.manager));
  const kept = new Set<OwnerEntry>(entries);
  const buckets = new Map<string, OwnerEntry>();
  for (const entry of updates) {
    if (excess <= 0) break;
    const bucket = buckets.get(entry.apiVersion);
    if (bucket === undefined) {
      buckets.set(entry.apiVersion, entry);
      continue;
    }
    kept.delete(bucket);
    kept.delete(entry);
    const joined: OwnerEntry = {
      ...entry,
      manager: ancient,
      subresource: "",
      fields: unionOf(bucket.fields, entry.fields),
    };
    kept.add(joined);
    buckets.set(entry.apiVersion, joined);
    excess--;
  }
  return [...kept];
}
