import type { FlowSchema, FlowSubject, PolicyRulesWithSubjects } from "@skiff/api";
import type { RequestInfo, UserInfo } from "../contracts.ts";

const accountPrefix = "system:serviceaccount:";

function isSubject(subject: FlowSubject, user: UserInfo): boolean {
  switch (subject.kind) {
    case "User":
      return subject.user?.name === "*" || subject.user?.name === user.name;
    case "Group":
      return subject.group?.name === "*" || user.groups.includes(subject.group?.name ?? "");
    case "ServiceAccount": {
      const { namespace = "", name = "" } = subject.serviceAccount ?? {};
      if (name !== "*") return user.name === `${accountPrefix}${namespace}:${name}`;
      return user.name.startsWith(`${accountPrefix}${namespace}:`);
    }
    default:
      return false;
  }
}

const holds = (values: readonly string[] | undefined, value: string): boolean =>
  values?.some((item) => item === "*" || item === value) === true;

/** `/healthz/*` is for all below `/healthz/`, and `*` for all. */
const isPath = (pattern: string, path: string): boolean =>
  pattern === "*" || pattern === path || (pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1)));

function rulesMatch({ resourceRules, nonResourceRules }: PolicyRulesWithSubjects, request: RequestInfo): boolean {
  if (request.kind === "path") {
    const { verb, path } = request;
    return (nonResourceRules ?? []).some(
      ({ verbs, nonResourceURLs }) => holds(verbs, verb) && nonResourceURLs.some((pattern) => isPath(pattern, path)),
    );
  }
  const { verb, group, plural, subresource, namespace } = request;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  return (resourceRules ?? []).some(
    (rule) =>
      holds(rule.verbs, verb) &&
      holds(rule.apiGroups, group) &&
      holds(rule.resources, resource) &&
      (namespace === undefined ? rule.clusterScope === true : holds(rule.namespaces, namespace)),
  );
}

/** The rules of a schema that are for a user. */
export const rulesFor = ({ spec }: FlowSchema, user: UserInfo): readonly PolicyRulesWithSubjects[] =>
  (spec.rules ?? []).filter(({ subjects }) => subjects.some((subject) => isSubject(subject, user)));

/** True where one of the rules, which are for the request's user, is for the request. */
export const anyMatches = (rules: readonly PolicyRulesWithSubjects[], request: RequestInfo): boolean =>
  rules.some((rule) => rulesMatch(rule, request));

/** Which of a schema's flows a request belongs to. */
export function flowOf({ spec }: FlowSchema, user: UserInfo, request: RequestInfo): string {
  switch (spec.distinguisherMethod?.type) {
    case "ByUser":
      return user.name;
    case "ByNamespace":
      return request.kind === "resource" ? (request.namespace ?? "") : "";
    default:
      return "";
  }
}
