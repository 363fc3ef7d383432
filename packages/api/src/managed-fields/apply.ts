import { isJsonObject, type JsonObject } from "@skiff/base";
import { unclassified } from "../patch/rejection.ts";
import type { StructSchema } from "../schema/schema.ts";
import { refusals } from "../status-error.ts";
import { configurationFaults, faultsText } from "./check-configuration.ts";
import { type Comparison, compareObjects, nothingChanged } from "./compare.ts";
import { type Conflict, conflictError } from "./conflicts.ts";
import { type FieldWriter, identityOf, type OwnerEntry, readEntries, writeEntries, writerEntry } from "./entries.ts";
import { differenceOf, type FieldSet, intersectionOf, isEmptySet, unionOf } from "./field-set.ts";
import { lastAppliedManager, refreshLastApplied, takeable } from "./last-applied.ts";
import { mergeConfiguration } from "./merge.ts";
import { fieldSetOf, withNamedFields } from "./owned-fields.ts";
import { PathElementError } from "./path-element.ts";
import { withoutFields } from "./remove.ts";
import { ownable, usualReset } from "./unowned.ts";
import { recordUpdate } from "./update.ts";

export interface ApplyRequest extends FieldWriter {
  /** What is stored; on creation an object with only apiVersion, kind and metadata's name and namespace. */
  readonly live: JsonObject;
  /** The applied configuration: only the fields that the writer has an opinion about. */
  readonly config: JsonObject;
  readonly schema: StructSchema;
  /** Take fields over from others instead of refusing. */
  readonly force: boolean;
  /** Fields that this write does not reach; absent: `status` for the object itself, `spec` for `/status`. */
  readonly resetFields?: FieldSet | undefined;
}

export interface Applied {
  /** Live and configuration merged, `metadata.managedFields` set; defaults not yet run. A new object that shares parts. */
  readonly object: JsonObject;
  /** False when the object is as it was, including who owns what. */
  readonly changed: boolean;
}

/**
 * Server-side apply. Throws `StatusError`: 409 with one cause a field when others own fields that would change, 400 or 500 (as
 * Kubernetes has it) for configurations that do not fit the schema.
 */
export function applyConfiguration(request: ApplyRequest): Applied {
  const { config, schema, subresource } = request;
  checkConfiguration(request);
  const reset = request.resetFields ?? usualReset(schema, subresource);
  const reached = withoutFields(config, reset, schema);
  try {
    return applyReached(request, { config: reached, reset });
  } catch (error) {
    if (error instanceof PathElementError) throw unclassified(`failed to merge config: ${error.message}`);
    throw error;
  }
}

function checkConfiguration({ config, schema, apiVersion }: ApplyRequest): void {
  const metadata = isJsonObject(config.metadata) ? config.metadata : {};
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw refusals.badRequest("metadata.managedFields must be nil");
  }
  const faults = configurationFaults(config, schema);
  if (faults.length === 0) return;
  const place = `${String(metadata.namespace ?? "")}/${String(metadata.name ?? "")}`;
  const kind = `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${String(config.kind ?? schema.name)}`;
  throw unclassified(`failed to create typed patch object (${place}; ${kind}): ${faultsText(faults)}`);
}

interface Reached {
  readonly config: JsonObject;
  readonly reset: FieldSet;
}

function applyReached(request: ApplyRequest, { config, reset }: Reached): Applied {
  const { live, schema } = request;
  const entries = trackedEntries(request, reset);
  const said = fieldSetOf(config, schema);
  const own = writerEntry(request, "Apply", ownable(said, reset));
  const identity = identityOf(own);
  const before = entries.find((entry) => identityOf(entry) === identity);
  const others = entries.filter((entry) => entry !== before);
  const merged = mergeConfiguration(live, config, schema);
  const object = prune(merged, {
    last: before?.fields ?? {},
    kept: [said, ...others.map(({ fields }) => fields)],
    schema,
  });
  const comparison = compareObjects(live, object, schema);
  if (!request.force) refuseConflicts(request, { others, comparison });
  const gone = unionOf(comparison.removed, comparison.changed);
  const left = others.map((entry) => ({ ...entry, fields: differenceOf(entry.fields, gone) }));
  const sameFields = before !== undefined && before.apiVersion === own.apiVersion && sameSet(before.fields, own.fields);
  const changed = !nothingChanged(comparison) || !sameFields;
  const written = writeEntries([...left, changed ? own : { ...own, time: before?.time ?? own.time }]);
  if (request.manager === lastAppliedManager) refreshLastApplied(object, live, request.config);
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  const { managedFields: _before, ...rest } = metadata;
  return {
    object: { ...object, metadata: written.length === 0 ? rest : { ...rest, managedFields: written } },
    changed,
  };
}

const sameSet = (a: FieldSet, b: FieldSet): boolean => isEmptySet(differenceOf(a, b)) && isEmptySet(differenceOf(b, a));

/** All that an object has which was never tracked belongs to one entry before the first apply. */
function trackedEntries({ live, schema, apiVersion, nowMs }: ApplyRequest, reset: FieldSet): readonly OwnerEntry[] {
  const metadata = isJsonObject(live.metadata) ? live.metadata : {};
  const entries = readEntries(metadata.managedFields) ?? [];
  if (entries.length > 0) return entries;
  const comparison = compareObjects({}, live, schema);
  return recordUpdate([], { comparison, writer: { manager: "before-first-apply", apiVersion, nowMs }, reset });
}

interface Change {
  readonly others: readonly OwnerEntry[];
  readonly comparison: Comparison;
}

function refuseConflicts({ live, schema, manager }: ApplyRequest, { others, comparison }: Change): void {
  const conflicts: Conflict[] = others
    .map((owner) => ({ owner, fields: intersectionOf(owner.fields, comparison.changed) }))
    .filter(({ fields }) => !isEmptySet(fields));
  if (conflicts.length === 0) return;
  const allowed = manager === lastAppliedManager ? takeable(live, schema) : {};
  const refused = conflicts.map(({ owner, fields }) => ({ owner, fields: differenceOf(fields, allowed) }));
  if (refused.some(({ fields }) => !isEmptySet(fields))) throw conflictError(refused);
}

interface Pruning {
  /** What the writer applied last time. */
  readonly last: FieldSet;
  /** What the configuration says now, its name and kind included, and what others own. */
  readonly kept: readonly FieldSet[];
  readonly schema: StructSchema;
}

/**
 * Removes what the writer applied last time and no longer does, unless somebody else owns it. Removing takes everything below a
 * field along; what others own below is put back, and what nobody ever owned stays with it.
 */
function prune(merged: JsonObject, { last, kept, schema }: Pruning): JsonObject {
  const owned = kept.reduce(unionOf, {});
  if (isEmptySet(last) || isEmptySet(differenceOf(last, owned))) return merged;
  const named = (set: FieldSet) => withNamedFields(set, schema);
  const mergedSet = named(fieldSetOf(merged, schema));
  const lastSet = named(last);
  const setOf = (object: JsonObject) => named(fieldSetOf(object, schema));
  const cut = withoutFields(merged, lastSet, schema);
  const unowned = differenceOf(mergedSet, unionOf(setOf(cut), named(owned)));
  const restored = withoutFields(merged, unowned, schema);
  return withoutFields(merged, intersectionOf(differenceOf(mergedSet, setOf(restored)), lastSet), schema);
}
