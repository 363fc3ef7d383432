import { type KubeObject, type ResourceDefinition, type RuleContext, tableColumns } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import { asJson } from "../encoding/object-json.ts";

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
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata,
    columnDefinitions: tableColumns(options.resource).map(columnDefinition),
    rows: objects.map((object) => row(object, options)),
  };
}

const columnDefinition = (column: ResourceDefinition["columns"][number]): JsonObject => ({
  name: column.title,
  type: column.type ?? "string",
  format: column.format ?? "",
  description: column.description ?? "",
  priority: column.priority ?? 0,
});

function row(object: KubeObject, options: TableOptions): JsonObject {
  const { resource, context, include } = options;
  const cells: JsonValue[] = tableColumns(resource).map((column) => column.value(object, context));
  if (include === "None") return { cells, object: null };
  return { cells, object: include === "Object" ? asJson(object) : partialObject(object, options.metaVersion) };
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
