import {
  type FieldMatcher,
  type KubeObject,
  type LabelMatcher,
  parseFieldSelector,
  parseLabelSelector,
  type ResourceDefinition,
  refusals,
  SelectorError,
} from "@skiff/api";
import { namespacePrefix, objectKey } from "../cache/keys.ts";
import type { ServedObject } from "../cache/served-object.ts";
import type { ObjectStorage } from "../storage/object-storage.ts";
import type { Query } from "./query.ts";

/** Which objects of a resource a list, a watch or a deletion of many is about. */
export interface ObjectSelection {
  /** What the keys of all of them begin with. */
  readonly prefix: string;
  /** The key of the only one that it can be, where a selector names it. */
  readonly only: string | undefined;
  /** Absent: all that have the prefix. */
  readonly matches: ((served: ServedObject) => boolean) | undefined;
}

/** Reads `labelSelector` and `fieldSelector`. Throws 400 for selectors that cannot be read or ask for unknown fields. */
export function selectionOf(storage: ObjectStorage, query: Query, namespace: string | undefined): ObjectSelection {
  const { resource } = storage;
  const { labels, fields } = selectorsOf(resource, query);
  const prefix = namespacePrefix(storage.prefix, namespace);
  const name = fields?.requirements.find(({ field, operator }) => field === "metadata.name" && operator === "=")?.value;
  const placed = namespace !== undefined || resource.scope === "cluster";
  return {
    prefix,
    only: name !== undefined && name !== "" && placed ? objectKey(prefix, { name }) : undefined,
    matches: matcher(resource, labels, fields),
  };
}

/** The selectors of a query. Throws 400 as above. */
export function selectorsOf(
  resource: Selectable,
  query: Query,
): { readonly labels: LabelMatcher | undefined; readonly fields: FieldMatcher | undefined } {
  const labels = read(query.get("labelSelector"), parseLabelSelector);
  const fields = read(query.get("fieldSelector"), parseFieldSelector);
  if (fields !== undefined) checkFields(resource, fields);
  return { labels, fields };
}

type Selectable = Pick<ResourceDefinition, "scope" | "selectableFields">;

function read<Matcher>(text: string | null | undefined, parse: (text: string) => Matcher): Matcher | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SelectorError) throw refusals.badRequest(error.message);
    throw error;
  }
}

function checkFields(resource: Selectable, { requirements }: FieldMatcher): void {
  for (const { field } of requirements) {
    if (field === "metadata.name" || (field === "metadata.namespace" && resource.scope === "namespaced")) continue;
    if (resource.selectableFields.some(({ path }) => path === field)) continue;
    throw refusals.badRequest(
      resource.selectableFields.length === 0
        ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    );
  }
}

function matcher(
  resource: ResourceDefinition,
  labels: LabelMatcher | undefined,
  fields: FieldMatcher | undefined,
): ObjectSelection["matches"] {
  const hasLabels = labels !== undefined && labels.requirements.length > 0;
  const hasFields = fields !== undefined && fields.requirements.length > 0;
  if (!hasLabels && !hasFields) return undefined;
  return ({ object }) => {
    if (hasLabels && !labels.matches(object.metadata.labels)) return false;
    return !hasFields || fields.matches((field) => fieldValue(resource, object, field));
  };
}

function fieldValue(resource: ResourceDefinition, object: KubeObject, field: string): string {
  if (field === "metadata.name") return object.metadata.name;
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return resource.selectableFields.find(({ path }) => path === field)?.value(object) ?? "";
}
