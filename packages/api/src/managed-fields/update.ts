import { isJsonObject, type JsonObject } from "@skiff/base";
import type { StructSchema } from "../schema/schema.ts";
import { type Comparison, compareObjects, nothingChanged } from "./compare.ts";
import { createdFields } from "./created-fields.ts";
import {
  type FieldWriter,
  identityOf,
  type OwnerEntry,
  readEntries,
  storedEntry,
  writeEntries,
  writerEntry,
} from "./entries.ts";
import { differenceOf, type FieldSet, isEmptySet, recursiveDifferenceOf, unionOf } from "./field-set.ts";
import { ownable, usualReset } from "./unowned.ts";

export interface UpdateRequest extends FieldWriter {
  /** What is stored; `undefined` on creation. */
  readonly live: JsonObject | undefined;
  /** What is about to be stored, as the client sent it and the server completed it. Its `metadata.managedFields` is set. */
  readonly next: JsonObject;
  readonly schema: StructSchema;
  /** Fields that this write does not reach; absent: `status` for the object itself, `spec` for `/status`. */
  readonly resetFields?: FieldSet | undefined;
}

/**
 * Records in `next.metadata.managedFields` who owns which field after a create, update or patch (all but apply): what changed
 * belongs to the writer from now on. Changes `next.metadata` only; cheap when little changed. Like the server it never fails:
 * entries that make no sense are dropped.
 */
export function updateManagedFields(request: UpdateRequest): void {
  const { live, next, schema, subresource } = request;
  const metadata = isJsonObject(next.metadata) ? next.metadata : {};
  next.metadata = metadata;
  const entries = entriesToStartFrom(request, metadata);
  // Objects that were never tracked are not tracked before somebody applies to them.
  if (live !== undefined && entries.length === 0) {
    delete metadata.managedFields;
    return;
  }
  const reset = request.resetFields ?? usualReset(schema, subresource);
  if (live === undefined && entries.length === 0) {
    const fields = recursiveDifferenceOf(createdFields(next, schema), reset);
    if (isEmptySet(fields)) delete metadata.managedFields;
    else metadata.managedFields = [storedEntry(writerEntry(request, "Update", fields))];
    return;
  }
  const comparison = compareObjects(live ?? {}, next, schema);
  const written = nothingChanged(comparison) ? entries : recordUpdate(entries, { comparison, writer: request, reset });
  const encoded = writeEntries(written);
  if (encoded.length > 0) metadata.managedFields = encoded;
  else delete metadata.managedFields;
}

/** What the request says, if it says something sensible (it may also reset all), else what is stored. */
function entriesToStartFrom({ live, subresource }: UpdateRequest, metadata: JsonObject): readonly OwnerEntry[] {
  const liveMetadata = isJsonObject(live?.metadata) ? live.metadata : {};
  const stored = () => readEntries(liveMetadata.managedFields) ?? [];
  const said = metadata.managedFields;
  if (subresource !== undefined || said === liveMetadata.managedFields) return stored();
  if (Array.isArray(said) && said.length === 1 && isJsonObject(said[0]) && Object.keys(said[0]).length === 0) return [];
  const entries = readEntries(said);
  return entries === undefined || entries.length === 0 ? stored() : entries;
}

export interface UpdateRecord {
  readonly comparison: Comparison;
  readonly writer: FieldWriter;
  readonly reset: FieldSet;
}

/** Moves what changed to the writer. Other entries keep their time. */
export function recordUpdate(
  entries: readonly OwnerEntry[],
  { comparison, writer, reset }: UpdateRecord,
): OwnerEntry[] {
  const gone = unionOf(comparison.removed, comparison.changed);
  const kept = entries.map((entry): OwnerEntry => {
    const fields = differenceOf(entry.fields, gone);
    return fields === entry.fields ? entry : { ...entry, fields };
  });
  const gained = ownable(comparison.changed, reset);
  if (isEmptySet(gained)) return kept;
  const own = writerEntry(writer, "Update", gained);
  const identity = identityOf(own);
  const index = kept.findIndex((entry) => identityOf(entry) === identity);
  const before = kept[index];
  if (before === undefined) return [...kept, own];
  return kept.with(index, { ...own, fields: unionOf(before.fields, gained) });
}
