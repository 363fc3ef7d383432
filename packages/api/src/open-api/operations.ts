import type { JsonObject } from "@skiff/base";
import type { DescribedResource } from "../resource-definition.ts";
import type { ResourceAction } from "../schema/notation.ts";
import type { GroupVersionKind, OpenApiVersion } from "./schema-document.ts";

/** References to the definitions that a resource's operations speak of. */
export interface OperationSchemas {
  readonly object: JsonObject;
  readonly list: JsonObject;
  readonly status: JsonObject;
  readonly deleteOptions: JsonObject;
}

/** Where an operation is, and on what. */
export interface OperationPlace {
  readonly openApi: OpenApiVersion;
  readonly resource: DescribedResource;
  readonly kind: GroupVersionKind;
  /** Empty for the resource itself. */
  readonly subresource: string;
  /** The path spans all namespaces. */
  readonly allNamespaces: boolean;
  readonly schemas: OperationSchemas;
}

const objectTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const streamTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const patchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

type ParameterType = "string" | "boolean" | "integer";

const writing: readonly (readonly [string, ParameterType])[] = [
  ["dryRun", "string"],
  ["fieldManager", "string"],
  ["fieldValidation", "string"],
];
const listing: readonly (readonly [string, ParameterType])[] = [
  ["allowWatchBookmarks", "boolean"],
  ["continue", "string"],
  ["fieldSelector", "string"],
  ["labelSelector", "string"],
  ["limit", "integer"],
  ["resourceVersion", "string"],
  ["resourceVersionMatch", "string"],
  ["sendInitialEvents", "boolean"],
  ["timeoutSeconds", "integer"],
  ["watch", "boolean"],
];
const deleting: readonly (readonly [string, ParameterType])[] = [
  ["dryRun", "string"],
  ["gracePeriodSeconds", "integer"],
  ["ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"],
  ["orphanDependents", "boolean"],
  ["propagationPolicy", "string"],
];

const queryOf: Readonly<Record<ResourceAction, readonly (readonly [string, ParameterType])[]>> = {
  get: [],
  list: listing,
  post: writing,
  put: writing,
  patch: [...writing, ["force", "boolean"]],
  delete: deleting,
  deletecollection: [...deleting, ...listing.filter(([name]) => name !== "watch" && name !== "allowWatchBookmarks")],
  connect: [],
};

/** A parameter as either document writes it. */
export const parameter = (openApi: OpenApiVersion, { name, type, where }: ParameterFact): JsonObject => ({
  name,
  in: where,
  ...(where === "path" ? { required: true } : {}),
  uniqueItems: true,
  ...(openApi === 2 ? { type } : { schema: { type, uniqueItems: true } }),
});

export interface ParameterFact {
  readonly name: string;
  readonly type: ParameterType;
  readonly where: "path" | "query";
}

const verbs: Readonly<Record<ResourceAction, string>> = {
  get: "read",
  list: "list",
  post: "create",
  put: "replace",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
  connect: "connect",
};

/** The HTTP method under which a path lists an action. */
export const methodOf: Readonly<Record<ResourceAction, "get" | "post" | "put" | "patch" | "delete">> = {
  get: "get",
  list: "get",
  post: "post",
  put: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
  connect: "get",
};

const pascal = (text: string): string =>
  text
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");

/** `core`, `apps`, `rbac.authorization`: the group as operations are named by. */
const groupText = (group: string): string => (group === "" ? "core" : group.replace(/\.k8s\.io$/, ""));

function operationId(action: ResourceAction, { resource, subresource, allNamespaces }: OperationPlace): string {
  const scope = resource.scope === "namespaced" && !allNamespaces ? "Namespaced" : "";
  const collection = action === "deletecollection" ? "Collection" : "";
  const place = pascal(groupText(resource.group)) + pascal(resource.version);
  const tail = allNamespaces ? "ForAllNamespaces" : pascal(subresource);
  return `${verbs[action]}${place}${collection}${scope}${resource.kind}${tail}`;
}

/** One operation of a path. */
export function operation(action: ResourceAction, place: OperationPlace): JsonObject {
  const { openApi, resource, kind, schemas } = place;
  const query = queryOf[action].map(([name, type]) => parameter(openApi, { name, type, where: "query" }));
  const answer =
    action === "list"
      ? schemas.list
      : action === "delete" || action === "deletecollection"
        ? schemas.status
        : schemas.object;
  const body = bodyOf(action, schemas);
  const { consumes, produces } = mediaTypes(action, resource);
  const parameters =
    openApi === 2 && body !== undefined
      ? [...query, { name: "body", in: "body", schema: body, ...requiredBody(action) }]
      : query;
  return {
    tags: [
      `${groupText(resource.group).replace(/[.-]\w/g, (match) => match.charAt(1).toUpperCase())}_${resource.version}`,
    ],
    operationId: operationId(action, place),
    ...(openApi === 2 ? { consumes, produces, schemes: ["https"] } : {}),
    // Readers that write the document anew leave an empty list out: so that it is the same, it is left out here too.
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(openApi === 3 && body !== undefined
      ? { requestBody: { content: contentOf(consumes, body), ...requiredBody(action) } }
      : {}),
    responses: responsesOf(action, { openApi, produces, answer }),
    "x-kubernetes-action":
      action === "post" || action === "put" || action === "get" || action === "patch" ? action : action,
    "x-kubernetes-group-version-kind": { ...kind },
  };
}

/** Custom resources know neither protobuf nor strategic merge patches. */
function mediaTypes(action: ResourceAction, { custom }: DescribedResource) {
  const usual = (type: string) => custom === undefined || !/protobuf|strategic/.test(type);
  return {
    consumes: (action === "patch" ? patchTypes : ["*/*"]).filter(usual),
    produces: (action === "list" ? [...objectTypes, ...streamTypes] : objectTypes).filter(usual),
  };
}

const requiredBody = (action: ResourceAction): JsonObject =>
  action === "delete" || action === "deletecollection" ? {} : { required: true };

function bodyOf(action: ResourceAction, schemas: OperationSchemas): JsonObject | undefined {
  switch (action) {
    case "post":
    case "put":
      return schemas.object;
    case "patch":
      return { type: "object" };
    case "delete":
    case "deletecollection":
      return schemas.deleteOptions;
    default:
      return undefined;
  }
}

const contentOf = (types: readonly string[], schema: JsonObject): JsonObject =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

interface Answer {
  readonly openApi: OpenApiVersion;
  readonly produces: readonly string[];
  readonly answer: JsonObject;
}

function responsesOf(action: ResourceAction, { openApi, produces, answer }: Answer): JsonObject {
  const codes: [string, string][] = [["200", "OK"]];
  if (action === "post" || action === "put" || action === "patch") codes.push(["201", "Created"]);
  if (action === "post" || action === "delete") codes.push(["202", "Accepted"]);
  return {
    ...Object.fromEntries(
      codes.map(([code, description]) => [
        code,
        { description, ...(openApi === 2 ? { schema: answer } : { content: contentOf(produces, answer) }) },
      ]),
    ),
    "401": { description: "Unauthorized" },
  };
}
