import { type KubeObject, type ResourceDefinition, type RuleContext, tableColumns } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { asJson } from "../encoding/object-json.ts";
import type { Bookmark } from "../watch/bookmark-object.ts";

/** How much of the object each row carries: the query parameter `includeObject`. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** What tables of one resource are made with. */
export interface TableOptions {
  readonly resource: Pick<ResourceDefinition, "columns">;
  readonly include: IncludeObject;
  /** `v1`, `v1beta1`. */
  readonly metaVersion: string;
  readonly context: RuleContext;
}

/** The table that `kubectl get` prints. `metadata` is the list's, or the single object's resourceVersion. */
export function tableOf(objects: readonly KubeObject[], metadata: JsonObject, options: TableOptions): JsonObject {
  return tableWith(
    objects.map((object) => row(object, options)),
    metadata,
    options,
  );
}

/**
 * A watch's bookmark: one row of an object that is empty but for its metadata, which says where the initial events end
 * and so is part of that row whatever was asked for.
 */
export function bookmarkTable(bookmark: Bookmark, options: TableOptions): JsonObject {
  const { metadata } = bookmark;
  const { resourceVersion = null } = metadata;
  const include = options.include === "None" && metadata.annotations !== undefined ? "Metadata" : options.include;
  const cells = tableColumns(options.resource).map(({ type }) => (type === "integer" ? 0 : ""));
  return tableWith([{ cells, object: rowObject(bookmark, include, options) }], { resourceVersion }, options);
}

const tableWith = (rows: readonly JsonObject[], metadata: JsonObject, options: TableOptions): JsonObject => ({
  kind: "Table",
  apiVersion: `meta.k8s.io/${options.metaVersion}`,
  metadata,
  columnDefinitions: tableColumns(options.resource).map(columnDefinition),
  rows: [...rows],
});

const columnDefinition = (column: ResourceDefinition["columns"][number]): JsonObject => ({
  name: column.title,
  type: column.type ?? "string",
  format: column.format ?? "",
  description: column.description ?? "",
  priority: column.priority ?? 0,
});

function row(object: KubeObject, options: TableOptions): JsonObject {
  const { resource, context } = options;
  const cells: JsonValue[] = tableColumns(resource).map((column) => column.value(object, context));
  return { cells, object: rowObject(object, options.include, options) };
}

function rowObject(object: object, include: IncludeObject, { metaVersion }: TableOptions): JsonValue {
  if (include === "None") return null;
  return include === "Object" ? asJson(object) : partialObject(object, metaVersion);
}

/** An object's metadata and nothing else of it. */
export function partialObject(object: object, metaVersion: string): JsonObject {
  const { metadata } = asJson(object);
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: isJsonObject(metadata) ? metadata : {},
  };
}
