import { DecodeFailure, parseBody } from "@skiff/api";
import { isJsonObject, type JsonObject, type JsonValue } from "@skiff/base";
import type { RequestInfo, UserInfo } from "../contracts.ts";

/** How much of a request is written down. */
export const auditLevels = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof auditLevels)[number];

/** When something is written down. */
export const auditStages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type AuditStage = (typeof auditStages)[number];

interface ResourceRule {
  readonly group: string;
  // `pods`, `pods/log`, everything of `pods`, one subresource of all resources, or `*`; all of the group where empty.
  readonly resources: readonly string[];
  readonly names: readonly string[];
}

/** Which requests a rule is for, and what is written of them. Empty lists are for all. */
interface Rule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly ResourceRule[];
  readonly namespaces: readonly string[];
  readonly paths: readonly string[];
  readonly omitStages: readonly string[];
  readonly omitManagedFields: boolean;
}

/** What is to be written of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<string>;
  readonly omitManagedFields: boolean;
}

/** A policy file that cannot be used; the message says why. */
export class AuditPolicyError extends Error {
  override name = "AuditPolicyError";
  readonly code = "AUDIT_POLICY_INVALID";
}

const nothing: AuditDecision = { level: "None", omitStages: new Set(), omitManagedFields: false };

/** A policy: the first rule that matches a request decides. https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
export class AuditPolicy {
  readonly #rules: readonly (readonly [Rule, AuditDecision])[];

  private constructor(rules: readonly (readonly [Rule, AuditDecision])[]) {
    this.#rules = rules;
  }

  /** Reads a `Policy` of `audit.k8s.io/v1` in YAML or JSON. Throws `AuditPolicyError`. */
  static parse(text: string): AuditPolicy {
    const value = read(text);
    if (!isJsonObject(value)) throw new AuditPolicyError("the audit policy is no object");
    if (value.apiVersion !== "audit.k8s.io/v1" || value.kind !== "Policy") {
      throw new AuditPolicyError(`no Policy of audit.k8s.io/v1, but ${value.kind} of ${value.apiVersion}`);
    }
    const rules = objects(value.rules, "rules").map(ruleOf);
    if (rules.length === 0) throw new AuditPolicyError("the audit policy has no rules");
    const omitStages = stagesOf(value.omitStages, "omitStages");
    const omitManagedFields = value.omitManagedFields === true;
    return new AuditPolicy(
      rules.map((rule, at) => {
        const own = objects(value.rules, "rules")[at]?.omitManagedFields;
        const omits = own === undefined || own === null ? omitManagedFields : rule.omitManagedFields;
        return [
          rule,
          { level: rule.level, omitStages: new Set([...omitStages, ...rule.omitStages]), omitManagedFields: omits },
        ];
      }),
    );
  }

  /** What is to be written of a request. */
  decide(user: UserInfo, request: RequestInfo): AuditDecision {
    for (const [rule, decision] of this.#rules) if (matches(rule, user, request)) return decision;
    return nothing;
  }
}

function read(text: string): JsonValue {
  try {
    return parseBody(text, "yaml").value;
  } catch (error) {
    if (error instanceof DecodeFailure) throw new AuditPolicyError(error.message, { cause: error });
    throw error;
  }
}

function matches(rule: Rule, user: UserInfo, request: RequestInfo): boolean {
  if (rule.users.length > 0 && !rule.users.includes(user.name)) return false;
  if (rule.groups.length > 0 && !rule.groups.some((group) => user.groups.includes(group))) return false;
  if (rule.verbs.length > 0 && !rule.verbs.includes(request.verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) {
    if (request.kind !== "resource") return false;
    if (rule.namespaces.length > 0 && !rule.namespaces.includes(request.namespace ?? "")) return false;
    return rule.resources.length === 0 || rule.resources.some((item) => matchesResource(item, request));
  }
  if (rule.paths.length === 0) return true;
  return request.kind === "path" && rule.paths.some((pattern) => matchesPath(pattern, request.path));
}

function matchesResource(rule: ResourceRule, request: Extract<RequestInfo, { kind: "resource" }>): boolean {
  const { group, plural, subresource, name = "" } = request;
  if (rule.group !== group) return false;
  if (rule.resources.length === 0) return true;
  if (rule.names.length > 0 && !rule.names.includes(name)) return false;
  const whole = subresource === undefined ? plural : `${plural}/${subresource}`;
  return rule.resources.some(
    (item) =>
      item === whole ||
      item === "*" ||
      item === `${plural}/*` ||
      (subresource !== undefined && item === `*/${subresource}`),
  );
}

const matchesPath = (pattern: string, path: string): boolean =>
  pattern === "*" || pattern === path || (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1)));

function ruleOf(rule: JsonObject, at: number): Rule {
  const field = `rules[${at}]`;
  const level = auditLevels.find((item) => item === rule.level);
  if (level === undefined) {
    throw new AuditPolicyError(`${field}.level: Unsupported value: ${JSON.stringify(rule.level ?? "")}`);
  }
  const paths = texts(rule.nonResourceURLs, `${field}.nonResourceURLs`);
  const namespaces = texts(rule.namespaces, `${field}.namespaces`);
  const resources = objects(rule.resources, `${field}.resources`).map((item, index) => ({
    group: typeof item.group === "string" ? item.group : "",
    resources: texts(item.resources, `${field}.resources[${index}].resources`),
    names: texts(item.resourceNames, `${field}.resources[${index}].resourceNames`),
  }));
  if (paths.length > 0 && (namespaces.length > 0 || resources.length > 0)) {
    throw new AuditPolicyError(
      `${field}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`,
    );
  }
  return {
    level,
    users: texts(rule.users, `${field}.users`),
    groups: texts(rule.userGroups, `${field}.userGroups`),
    verbs: texts(rule.verbs, `${field}.verbs`),
    resources,
    namespaces,
    paths,
    omitStages: stagesOf(rule.omitStages, `${field}.omitStages`),
    omitManagedFields: rule.omitManagedFields === true,
  };
}

function objects(value: JsonValue | undefined, field: string): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isJsonObject)) throw new AuditPolicyError(`${field} is no list of objects`);
  return value;
}

function texts(value: JsonValue | undefined, field: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const isText = (item: JsonValue): item is string => typeof item === "string";
  if (!Array.isArray(value) || !value.every(isText)) throw new AuditPolicyError(`${field} is no list of texts`);
  return value;
}

function stagesOf(value: JsonValue | undefined, field: string): readonly string[] {
  const stages = texts(value, field);
  const wrong = stages.find((stage) => !auditStages.some((known) => known === stage));
  if (wrong !== undefined) throw new AuditPolicyError(`${field}: Unsupported value: ${JSON.stringify(wrong)}`);
  return stages;
}
