/**
 * The OpenAPI documents that the server publishes: what `kubectl explain`, server-side validation and generated clients read.
 * They are made from the schemas and the list of resources when first asked for. Version 3 carries prose, where the build
 * found it; version 2, which clients read for its types, none.
 */
import type { JsonObject } from "@skiff/base";
import type { DescribedResource, SubresourceDefinition } from "../resource-definition.ts";
import { definitionSchema, findDefinitionSchema } from "../schema/definition-schema.ts";
import type { ResourceAction } from "../schema/notation.ts";
import { customReferences } from "./custom-references.ts";
import { type Descriptions, noDescriptions } from "./descriptions.ts";
import { methodOf, type OperationSchemas, operation, parameter } from "./operations.ts";
import { type GroupVersionKind, type OpenApiVersion, SchemaDocument } from "./schema-document.ts";

const cacheV2 = new WeakMap<readonly DescribedResource[], JsonObject>();
const cacheV3 = new WeakMap<readonly DescribedResource[], JsonObject>();

/**
 * The document of `/openapi/v2` (swagger 2.0): all definitions that `resources` reach, and their paths. Made once for each array of
 * resources: hand over a new array when resources change.
 */
export function openApiV2(resources: readonly DescribedResource[], gitVersion: string): JsonObject {
  const known = cacheV2.get(resources);
  if (known !== undefined) return known;
  const { paths, definitions } = documentOf(2, resources, noDescriptions);
  const document: JsonObject = {
    swagger: "2.0",
    info: { title: "Kubernetes", version: gitVersion },
    paths,
    definitions,
    securityDefinitions: {
      BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" },
    },
    security: [{ BearerToken: [] }],
  };
  cacheV2.set(resources, document);
  return document;
}

/**
 * The document of `/openapi/v3/apis/GROUP/VERSION` (OpenAPI 3.0) for the resources of one group and version. Made once for each
 * array of resources: hand over a new array when resources change.
 */
export function openApiV3(
  resources: readonly DescribedResource[],
  gitVersion: string,
  descriptions: Descriptions = noDescriptions,
): JsonObject {
  const known = cacheV3.get(resources);
  if (known !== undefined) return known;
  const { paths, definitions } = documentOf(3, resources, descriptions);
  const document: JsonObject = {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: gitVersion },
    paths,
    components: {
      schemas: definitions,
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  };
  cacheV3.set(resources, document);
  return document;
}

interface Parts {
  readonly paths: JsonObject;
  readonly definitions: JsonObject;
}

function documentOf(
  openApi: OpenApiVersion,
  resources: readonly DescribedResource[],
  descriptions: Descriptions,
): Parts {
  const schemas = new SchemaDocument(openApi, kindsOf(resources), descriptions);
  const paths = new Map<string, JsonObject>();
  for (const resource of resources) addPaths(paths, { openApi, resource, schemas });
  return {
    paths: Object.fromEntries([...paths].sort(([a], [b]) => (a < b ? -1 : 1))),
    definitions: schemas.definitions(),
  };
}

/** Which definitions are kinds. Some are several (Scale, DeleteOptions), in one version after another. */
function kindsOf(resources: readonly DescribedResource[]): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>([
    ["meta.v1.Status", [{ group: "", version: "v1", kind: "Status" }]],
  ]);
  const add = (definition: string, kind: GroupVersionKind) => {
    const known = kinds.get(definition) ?? [];
    if (!known.some((one) => one.group === kind.group && one.version === kind.version && one.kind === kind.kind))
      known.push(kind);
    kinds.set(definition, known);
  };
  for (const { schema, group, version, kind, listKind, subresources } of resources) {
    add(schema, { group, version, kind });
    add(`${schema}List`, { group, version, kind: listKind });
    add("meta.v1.DeleteOptions", { group, version, kind: "DeleteOptions" });
    for (const subresource of subresources) {
      const definition = definitionOf(subresource.kind);
      if (definition !== undefined) add(definition, { ...subresource.kind });
    }
  }
  return kinds;
}

/** The definition of a kind that is known by group, version and kind alone: `policy/v1` Eviction → `policy.v1.Eviction`. */
function definitionOf({ group, version, kind }: GroupVersionKind): string | undefined {
  const name = `${group === "" ? "core" : group.split(".")[0]}.${version}.${kind}`;
  return findDefinitionSchema(name) === undefined ? undefined : name;
}

interface ResourceContext {
  readonly openApi: OpenApiVersion;
  readonly resource: DescribedResource;
  readonly schemas: SchemaDocument;
}

function addPaths(paths: Map<string, JsonObject>, context: ResourceContext): void {
  const { resource } = context;
  const { group, version, kind, plural, scope } = resource;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const base = scope === "namespaced" ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const own: GroupVersionKind = { group, version, kind };
  const references = schemasOf(context);
  const add = (path: string, request: Omit<PathRequest, "path" | "context">) => {
    const item = pathItem({ ...request, path, context });
    if (item !== undefined) paths.set(path, item);
  };
  const on = (actions: readonly ResourceAction[], wanted: readonly ResourceAction[]) =>
    wanted.filter((action) => actions.includes(action));
  const whole = { kind: own, subresource: "", references };
  add(base, { ...whole, actions: on(resource.actions, ["list", "post", "deletecollection"]) });
  if (scope === "namespaced")
    add(`${root}/${plural}`, { ...whole, actions: on(resource.actions, ["list"]), allNamespaces: true });
  add(`${base}/{name}`, { ...whole, actions: on(resource.actions, ["get", "put", "patch", "delete"]) });
  for (const subresource of resource.subresources) {
    add(`${base}/{name}/${subresource.name}`, {
      kind: subresource.kind,
      subresource: subresource.name,
      actions: on(subresource.actions, ["get", "post", "put", "patch", "delete", "connect"]),
      references: { ...references, object: subresourceSchema(subresource, context, references) },
    });
  }
}

interface PathRequest {
  readonly path: string;
  readonly context: ResourceContext;
  readonly kind: GroupVersionKind;
  readonly subresource: string;
  readonly actions: readonly ResourceAction[];
  readonly references: OperationSchemas;
  readonly allNamespaces?: boolean;
}

function pathItem({
  path,
  context,
  kind,
  subresource,
  actions,
  references,
  allNamespaces,
}: PathRequest): JsonObject | undefined {
  if (actions.length === 0) return undefined;
  const { openApi, resource } = context;
  const place = { openApi, resource, kind, subresource, allNamespaces: allNamespaces ?? false, schemas: references };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) =>
    parameter(openApi, { name, type: "string", where: "path" }),
  );
  const shared = [...inPath, parameter(openApi, { name: "pretty", type: "string", where: "query" })];
  return {
    ...Object.fromEntries(actions.map((action) => [methodOf[action], operation(action, place)])),
    parameters: shared,
  };
}

function schemasOf(context: ResourceContext): OperationSchemas {
  const { resource, schemas } = context;
  const status = schemas.reference(definitionSchema("meta.v1.Status"));
  const deleteOptions = schemas.reference(definitionSchema("meta.v1.DeleteOptions"));
  if (resource.custom !== undefined) return { ...customReferences(context), status, deleteOptions };
  const object = builtInReference(resource.schema, schemas);
  const listSchema = findDefinitionSchema(`${resource.schema}List`);
  const list = listSchema === undefined ? { type: "object" } : schemas.reference(listSchema);
  return { object, list, status, deleteOptions };
}

function builtInReference(definition: string, schemas: SchemaDocument): JsonObject {
  const schema = findDefinitionSchema(definition);
  return schema === undefined ? { type: "object" } : schemas.reference(schema);
}

function subresourceSchema(
  subresource: SubresourceDefinition,
  { resource, schemas }: ResourceContext,
  references: OperationSchemas,
): JsonObject {
  if (subresource.kind.kind === resource.kind && subresource.kind.group === resource.group) return references.object;
  const definition = definitionOf(subresource.kind);
  return definition === undefined ? { type: "string" } : builtInReference(definition, schemas);
}
