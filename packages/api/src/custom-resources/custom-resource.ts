import { deepCopy, isJsonObject, type JsonObject, jsonEqual, present } from "@skiff/base";
import { keepField } from "../define-resource.ts";
import type { FieldError } from "../field-error.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types/apiextensions-v1.ts";
import type { DynamicObject } from "../object.ts";
import type { CustomForm, ResourceDefinition, StoredAs, SubresourceDefinition } from "../resource-definition.ts";
import { schemaOfCustomResource } from "../schema/json-schema.ts";
import type { ResourceAction } from "../schema/notation.ts";
import { dnsSubdomainName } from "../validation/names.ts";
import { customColumns, customFields } from "./custom-columns.ts";
import { embeddedFindings } from "./embedded-objects.ts";
import { duplicateItems } from "./list-types.ts";
import { scaleFindings } from "./scale-fields.ts";
import { prune, settle } from "./settle.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";
import { validateValue } from "./validate-value.ts";

const actions: readonly ResourceAction[] = ["get", "list", "post", "put", "patch", "delete", "deletecollection"];

/** A definition's versions as resources: the one that is stored, and all that are served. */
export interface CustomResource {
  readonly stored: ResourceDefinition<DynamicObject>;
  readonly served: readonly ResourceDefinition<DynamicObject>[];
}

/** The resources that a CustomResourceDefinition makes, one for each served version. Schemas are read when first needed. */
export function customResource(definition: CustomResourceDefinition): CustomResource {
  const versions = new Map(
    definition.spec.versions.map((version): [string, Version] => [version.name, new Version(definition, version)]),
  );
  const all = [...versions.values()].map((version) => ({
    version,
    resource: resourceOf(definition, version, versions),
  }));
  const stored = all.find(({ version }) => version.text.storage);
  return {
    stored: present(stored, "a definition has a version that is stored").resource,
    served: all.filter(({ version }) => version.text.served).map(({ resource }) => resource),
  };
}

/** One version of a definition, with its schema in all forms, each made once and when asked for. */
class Version implements CustomForm {
  readonly text: CustomResourceDefinitionVersion;
  readonly apiVersion: string;
  readonly #kind: string;
  readonly #preserves: boolean;
  #structural: StructuralSchema | undefined;
  #struct: CustomForm["struct"] | undefined;

  constructor({ spec }: CustomResourceDefinition, text: CustomResourceDefinitionVersion) {
    this.text = text;
    this.apiVersion = `${spec.group}/${text.name}`;
    this.#kind = spec.names.kind;
    this.#preserves = spec.preserveUnknownFields === true;
  }

  get openApi(): JsonObject | undefined {
    const schema: unknown = this.text.schema?.openAPIV3Schema;
    return isJsonObject(schema) ? schema : undefined;
  }

  get scale(): CustomForm["scale"] {
    return this.text.subresources?.scale;
  }

  get hasStatus(): boolean {
    return this.text.subresources?.status !== undefined;
  }

  get structural(): StructuralSchema {
    this.#structural ??= structuralSchema(this.#asRead());
    return this.#structural;
  }

  get struct(): CustomForm["struct"] {
    this.#struct ??= schemaOfCustomResource({ kind: this.#kind, schema: this.#asRead() });
    return this.#struct;
  }

  /** A definition that keeps what it does not know says so at the top of its schema. */
  #asRead(): JsonObject {
    const schema = this.openApi ?? { type: "object" };
    return this.#preserves ? { ...schema, "x-kubernetes-preserve-unknown-fields": true } : schema;
  }
}

function resourceOf(
  { spec, status }: CustomResourceDefinition,
  version: Version,
  versions: ReadonlyMap<string, Version>,
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
    storedAs: storedAs({ group: spec.group, plural }, version, versions),
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

/**
 * Objects are stored in the storage version and may have been written under another version or an older schema: reading
 * brings them into the form that the schema of their version has today, then into the version that is asked for.
 */
function storedAs(
  place: { readonly group: string; readonly plural: string },
  version: Version,
  versions: ReadonlyMap<string, Version>,
): StoredAs {
  const stored = present(
    [...versions.values()].find(({ text }) => text.storage),
    "a definition has a version that is stored",
  );
  return {
    ...place,
    version: stored.text.name,
    toStored: (object) => renamed(object, stored),
    fromStored(object) {
      const written = [...versions.values()].find(({ apiVersion }) => apiVersion === object.apiVersion) ?? version;
      const copy = deepCopy(object);
      const fields = fieldsOf(copy);
      const settled = settle(fields, written.structural);
      if (written === version) return settled ? copy : object;
      copy.apiVersion = version.apiVersion;
      prune(fields, version.structural, true);
      return copy;
    },
  };
}

/** The object under another version's name. Without a webhook, versions of custom resources differ by nothing else. */
const renamed = (object: DynamicObject, { apiVersion }: Version): DynamicObject =>
  object.apiVersion === apiVersion ? object : { ...object, apiVersion };

const isJson = (_object: DynamicObject): _object is DynamicObject & JsonObject => true;

/** The object as JSON: custom resources are nothing else. */
function fieldsOf(object: DynamicObject): JsonObject {
  return isJson(object) ? object : {};
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
    changesGeneration: (object, old) => !jsonEqual(counted(object), counted(old)),
  };
}

function findings(version: Version, object: DynamicObject, old: DynamicObject | undefined): readonly FieldError[] {
  const { structural } = version;
  const value = fieldsOf(object);
  const values = validateValue({ value, path: "", old: old === undefined ? undefined : fieldsOf(old) }, structural);
  // What is wrong in its shape cannot be judged further.
  if (values.length > 0) return values;
  return [
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
