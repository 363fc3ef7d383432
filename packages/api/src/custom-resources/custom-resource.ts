import { type JsonObject, jsonEqual, present } from "@skiff/base";
import { keepField } from "../define-resource.ts";
import type { FieldError } from "../field-error.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types/apiextensions-v1.ts";
import type { DynamicObject } from "../object.ts";
import type { ResourceDefinition, SubresourceDefinition } from "../resource-definition.ts";
import type { ResourceAction } from "../schema/notation.ts";
import { dnsSubdomainName } from "../validation/names.ts";
import { customColumns, customFields } from "./custom-columns.ts";
import { fieldsOf, Version } from "./custom-version.ts";
import { embeddedFindings } from "./embedded-objects.ts";
import { duplicateItems } from "./list-types.ts";
import { scaleFindings } from "./scale-fields.ts";
import { settle } from "./settle.ts";
import { storedForm, type VersionConverter, type Versions } from "./stored-form.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import { validateValue } from "./validate-value.ts";

const actions: readonly ResourceAction[] = ["get", "list", "post", "put", "patch", "delete", "deletecollection"];

/** A definition's versions as resources: the one that is stored, and all that are served. */
export interface CustomResource {
  readonly stored: ResourceDefinition<DynamicObject>;
  readonly served: readonly ResourceDefinition<DynamicObject>[];
}

/**
 * The resources that a CustomResourceDefinition makes, one for each served version. Schemas are read when first needed.
 * Without `convert`, versions differ by name and schema only.
 */
export function customResource(definition: CustomResourceDefinition, convert?: VersionConverter): CustomResource {
  const all = definition.spec.versions.map((version) => new Version(definition, version));
  const versions: Versions = { all, convert };
  const made = all.map((version) => ({ version, resource: resourceOf(definition, version, versions) }));
  const stored = made.find(({ version }) => version.text.storage);
  return {
    stored: present(stored, "a definition has a version that is stored").resource,
    served: made.filter(({ version }) => version.text.served).map(({ resource }) => resource),
  };
}

function resourceOf(
  { spec, status }: CustomResourceDefinition,
  version: Version,
  versions: Versions,
): ResourceDefinition<DynamicObject> {
  const names = status?.acceptedNames?.kind ? status.acceptedNames : spec.names;
  const { kind, plural } = names;
  const place = { group: spec.group, version: version.text.name };
  return {
    ...place,
    kind,
    plural,
    listKind: names.listKind || `${kind}List`,
    singular: names.singular || kind.toLowerCase(),
    scope: spec.scope === "Cluster" ? "cluster" : "namespaced",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    actions,
    subresources: subresourcesOf({ ...place, kind }, version),
    schema: `${spec.group}.${version.text.name}.${kind}`,
    custom: version,
    ...deprecation(version.text, kind, version.apiVersion),
    storedAs: storedForm({ group: spec.group, plural }, version, versions),
    columns: customColumns(version.text.additionalPrinterColumns ?? []),
    selectableFields: customFields(version.text.selectableFields ?? []),
    ...rulesOf(version),
  };
}

function deprecation(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  kind: string,
  apiVersion: string,
): Pick<ResourceDefinition, "deprecationWarning"> {
  if (deprecated !== true) return {};
  return { deprecationWarning: deprecationWarning ?? `${apiVersion} ${kind} is deprecated` };
}

function subresourcesOf(own: SubresourceDefinition["kind"], version: Version): readonly SubresourceDefinition[] {
  const taken: readonly ResourceAction[] = ["get", "put", "patch"];
  const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
  return [
    ...(version.hasStatus ? [{ name: "status", kind: own, actions: taken }] : []),
    ...(version.scale === undefined ? [] : [{ name: "scale", kind: scale, actions: taken }]),
  ];
}

type Rule =
  | "defaults"
  | "prepareCreate"
  | "prepareUpdate"
  | "prepareStatusUpdate"
  | "validate"
  | "validateUpdate"
  | "validateStatusUpdate"
  | "validateName"
  | "warnings"
  | "changesGeneration";

function rulesOf(version: Version): Pick<ResourceDefinition<DynamicObject>, Rule> {
  const { hasStatus } = version;
  const uncounted = new Set(["apiVersion", "kind", "metadata", ...(hasStatus ? ["status"] : [])]);
  const counted = (object: DynamicObject) =>
    Object.fromEntries(Object.entries(object).filter(([field]) => !uncounted.has(field)));
  return {
    defaults: (object) => void settle(fieldsOf(object), version.structural),
    prepareCreate(object) {
      if (hasStatus) delete object.status;
      object.metadata.generation = 1;
    },
    prepareUpdate(object, old) {
      if (hasStatus) keepField(object, old, "status");
    },
    prepareStatusUpdate(object, old) {
      const { managedFields } = object.metadata;
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== "status") keepField(object, old, field);
      }
      if (managedFields === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = managedFields;
    },
    validate: (object, old) => findings(version, object, old),
    validateUpdate: () => [],
    validateStatusUpdate: (object, old) => findings(version, object, old),
    validateName: dnsSubdomainName,
    warnings: (object, old) => finalizerWarnings(object, old),
    changesGeneration: (object, old) => !jsonEqual(counted(object), counted(old)),
  };
}

/** A finalizer without a path may be somebody else's as well. */
function finalizerWarnings({ metadata }: DynamicObject, old: DynamicObject | undefined): readonly string[] {
  const advice =
    "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers";
  const usual = new Set(["orphan", "foregroundDeletion", ...(old?.metadata.finalizers ?? [])]);
  return (metadata.finalizers ?? [])
    .filter((finalizer) => !finalizer.includes("/") && !usual.has(finalizer))
    .map((finalizer) => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${advice}`);
}

function findings(version: Version, object: DynamicObject, old: DynamicObject | undefined): readonly FieldError[] {
  const { structural } = version;
  const value = fieldsOf(object);
  return [
    ...validateValue({ value, path: "", old: old === undefined ? undefined : fieldsOf(old) }, structural),
    ...(version.scale === undefined ? [] : scaleFindings(value, version.scale)),
    ...embeddedFindings(value, "", structural),
    ...newDuplicates(value, old, structural),
  ];
}

/** Lists that had something twice before may keep it. */
function newDuplicates(
  value: JsonObject,
  old: DynamicObject | undefined,
  schema: StructuralSchema,
): readonly FieldError[] {
  const found = [...duplicateItems(value, "", schema)];
  if (found.length === 0 || old === undefined) return found;
  const before = new Set(
    [...duplicateItems(fieldsOf(old), "", schema)].map(({ field, value }) => `${field} ${JSON.stringify(value)}`),
  );
  const unchanged = found.every(({ field, value: bad }) => before.has(`${field} ${JSON.stringify(bad)}`));
  return unchanged ? [] : found;
}
