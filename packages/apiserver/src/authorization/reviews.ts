import { type FieldError, fieldError, refusals } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { RequestSelectors, ResourceTable, SubresourceHandler, UserInfo } from "../contracts.ts";
import type { ObjectCall } from "../subresources/object-handler.ts";
import { reviewHandler } from "../subresources/review-handler.ts";
import type { Access, AccessAuthorizer } from "./access.ts";
import type { RbacAuthorizer } from "./rbac-authorizer.ts";
import type { UnionAuthorizer } from "./union-authorizer.ts";

const group = "authorization.k8s.io";

const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const texts = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
const record = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {});

/** The access that a review's spec asks about, or what is wrong with it. */
function accessIn(spec: JsonObject): Access | FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (isJsonObject(resource) && isJsonObject(path)) {
    const why = "cannot be specified in combination with resourceAttributes";
    return [fieldError.invalid("spec.nonResourceAttributes", path, why)];
  }
  if (isJsonObject(path)) return { kind: "path", verb: text(path.verb), path: text(path.path) };
  if (!isJsonObject(resource)) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    return [fieldError.invalid("spec.resourceAttributes", null, why)];
  }
  const errors = ["fieldSelector", "labelSelector"].flatMap((field) => selectorErrors(resource[field], field));
  if (errors.length > 0) return errors;
  const optional = (field: string) => (text(resource[field]) === "" ? {} : { [field]: text(resource[field]) });
  return {
    kind: "resource",
    verb: text(resource.verb),
    group: text(resource.group),
    version: text(resource.version) || "*",
    plural: text(resource.resource),
    ...optional("namespace"),
    ...optional("name"),
    ...optional("subresource"),
    ...selectorIn(resource, "fieldSelector"),
    ...selectorIn(resource, "labelSelector"),
  };
}

function selectorErrors(selector: JsonValue | undefined, name: string): FieldError[] {
  if (!isJsonObject(selector)) return [];
  const field = `spec.resourceAttributes.${name}`;
  const raw = text(selector.rawSelector);
  const count = Array.isArray(selector.requirements) ? selector.requirements.length : 0;
  if (raw !== "" && count > 0) {
    const why = "may not specified at the same time as requirements";
    return [fieldError.invalid(`${field}.rawSelector`, raw, why)];
  }
  if (raw !== "" || count > 0) return [];
  const why = `when ${field} is specified, requirements or rawSelector is required`;
  return [fieldError.required(`${field}.requirements`, why)];
}

/** The selector as a request's query would have it. */
function selectorIn(resource: JsonObject, name: "fieldSelector" | "labelSelector"): RequestSelectors {
  const selector = resource[name];
  if (!isJsonObject(selector)) return {};
  const raw = text(selector.rawSelector);
  const requirements = Array.isArray(selector.requirements) ? selector.requirements.filter(isJsonObject) : [];
  const terms = requirements.map(({ key, operator, values }) => {
    const list = texts(values);
    switch (operator) {
      case "In":
        return list.length === 1 ? `${text(key)}=${list[0]}` : `${text(key)} in (${list.join(",")})`;
      case "NotIn":
        return list.length === 1 ? `${text(key)}!=${list[0]}` : `${text(key)} notin (${list.join(",")})`;
      default:
        return operator === "DoesNotExist" ? `!${text(key)}` : text(key);
    }
  });
  return { [name]: raw === "" ? terms.join(",") : raw };
}

function userIn(spec: JsonObject): UserInfo {
  const extra = Object.entries(record(spec.extra)).map(([key, values]): [string, string[]] => [key, texts(values)]);
  return {
    name: text(spec.user),
    ...(text(spec.uid) === "" ? {} : { uid: text(spec.uid) }),
    groups: texts(spec.groups),
    extra: Object.fromEntries(extra),
  };
}

interface Review {
  readonly kind: string;
  /** Whom it asks about. */
  readonly who: "self" | "spec";
  readonly local?: boolean;
}

/** What is the same as nothing, for a member of metadata. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === 0 ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** Nothing is stored, so there is nothing to call it. */
function metadataErrors(metadata: JsonObject, { local }: Review): FieldError[] {
  const { managedFields: _fields, creationTimestamp: _time, namespace, ...rest } = metadata;
  const given = { ...rest, ...(local === true || namespace === undefined ? {} : { namespace }) };
  const why = local === true ? "must be empty except for namespace" : "must be empty";
  return Object.values(given).every(isEmpty) ? [] : [fieldError.invalid("metadata", metadata, why)];
}

function answer(authorizer: AccessAuthorizer, review: Review): (call: ObjectCall) => Promise<JsonObject> {
  return async ({ body = {}, ref, context }) => {
    const spec = record(body.spec);
    const access = accessIn(spec);
    const errors: FieldError[] = Array.isArray(access) ? [...access] : [];
    errors.push(...metadataErrors(record(body.metadata), review));
    if (review.who === "spec" && text(spec.user) === "" && texts(spec.groups).length === 0) {
      errors.push(fieldError.invalid("spec.user", "", "at least one of user or group must be specified"));
    }
    if (review.local === true && !Array.isArray(access)) {
      if (access.kind === "path") {
        errors.push(
          fieldError.invalid(
            "spec.nonResourceAttributes",
            record(spec.nonResourceAttributes),
            "disallowed on this kind of request",
          ),
        );
      } else if ((access.namespace ?? "") !== (ref.namespace ?? "")) {
        const field = "spec.resourceAttributes.namespace";
        errors.push(fieldError.invalid(field, access.namespace ?? "", "must match metadata.namespace"));
      }
    }
    if (errors.length > 0 || Array.isArray(access)) throw refusals.invalid({ group, kind: "", name: "" }, errors);
    const user = review.who === "self" ? context.user : userIn(spec);
    const decision = await authorizer.authorize({ user, request: access });
    const status = {
      allowed: decision.kind === "allowed",
      ...(decision.kind === "denied" ? { denied: true } : {}),
      ...(decision.reason === "" ? {} : { reason: decision.reason }),
    };
    return {
      kind: review.kind,
      apiVersion: `${group}/v1`,
      metadata: record(body.metadata),
      spec,
      status,
    };
  };
}

function rulesReview(authorizer: UnionAuthorizer, rbac: RbacAuthorizer): (call: ObjectCall) => Promise<JsonObject> {
  return async ({ body = {}, context }) => {
    const namespace = text(record(body.spec).namespace);
    if (namespace === "") throw refusals.badRequest("no namespace on request");
    const known = rbac.rulesFor(context.user, namespace);
    const unlisted = authorizer.unlistedOf(context.user);
    const errors = [...unlisted, ...known.errors];
    const resourceRules: JsonObject[] = [];
    const nonResourceRules: JsonObject[] = [];
    for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of known.rules) {
      if (resources !== undefined && resources.length > 0) {
        const names = resourceNames === undefined ? {} : { resourceNames };
        resourceRules.push({ verbs, apiGroups: apiGroups ?? [], resources, ...names });
      }
      if (nonResourceURLs !== undefined && nonResourceURLs.length > 0)
        nonResourceRules.push({ verbs, nonResourceURLs });
    }
    return {
      kind: "SelfSubjectRulesReview",
      apiVersion: `${group}/v1`,
      metadata: {},
      spec: {},
      status: {
        resourceRules,
        nonResourceRules,
        incomplete: errors.length > 0,
        ...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }),
      },
    };
  };
}

/** The resources of `authorization.k8s.io`: questions about access, answered and not stored. */
export function accessReviews(
  authorizer: UnionAuthorizer,
  rbac: RbacAuthorizer,
  table: Pick<ResourceTable, "find">,
): ReadonlyMap<string, SubresourceHandler> {
  const served: readonly (readonly [plural: string, serve: (call: ObjectCall) => Promise<JsonObject>])[] = [
    ["subjectaccessreviews", answer(authorizer, { kind: "SubjectAccessReview", who: "spec" })],
    ["selfsubjectaccessreviews", answer(authorizer, { kind: "SelfSubjectAccessReview", who: "self" })],
    ["localsubjectaccessreviews", answer(authorizer, { kind: "LocalSubjectAccessReview", who: "spec", local: true })],
    ["selfsubjectrulesreviews", rulesReview(authorizer, rbac)],
  ];
  return new Map(
    served.map(([plural, serve]) => [`${plural}.${group}`, reviewHandler(table, { group, plural }, serve)]),
  );
}
