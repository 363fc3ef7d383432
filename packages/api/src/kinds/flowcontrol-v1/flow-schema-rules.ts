import { fieldError } from "../../field-error.ts";
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../../generated/types/flowcontrol-v1.ts";
import { type Findings, invalidFor, sorted } from "../../validation/checks.ts";
import { dnsLabel, dnsSubdomain } from "../../validation/names.ts";

const verbs = sorted(["get", "list", "create", "update", "delete", "deletecollection", "patch", "watch", "proxy"]);

/** One rule of a FlowSchema: whose requests, and which. */
export function* checkRule(field: string, rule: PolicyRulesWithSubjects): Findings {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (subjects.length === 0) {
    yield fieldError.required(`${field}.subjects`, "subjects must contain at least one value");
  }
  for (const [at, subject] of subjects.entries()) yield* checkSubject(`${field}.subjects[${at}]`, subject);
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    yield fieldError.required(field, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  for (const [at, item] of resourceRules.entries()) yield* checkResources(`${field}.resourceRules[${at}]`, item);
  for (const [at, item] of nonResourceRules.entries()) yield* checkPaths(`${field}.nonResourceRules[${at}]`, item);
}

const members = [
  ["ServiceAccount", "serviceAccount"],
  ["User", "user"],
  ["Group", "group"],
] as const;

function* checkSubject(field: string, subject: Subject): Findings {
  const own = members.find(([kind]) => kind === subject.kind)?.[1];
  if (own === undefined) {
    yield fieldError.notSupported(`${field}.kind`, subject.kind, sorted(members.map(([kind]) => kind)));
    return;
  }
  if (!subject[own]) {
    yield fieldError.required(`${field}.${own}`, `${own} is required when subject kind is '${subject.kind}'`);
  } else if (own === "serviceAccount") yield* checkAccount(`${field}.serviceAccount`, subject.serviceAccount);
  else if (!subject[own]?.name) yield fieldError.required(`${field}.${own}.name`);
  for (const [kind, member] of members) {
    if (member !== own && subject[member]) {
      yield fieldError.forbidden(`${field}.${member}`, `${member} is forbidden when subject kind is not '${kind}'`);
    }
  }
}

function* checkAccount(field: string, account: Subject["serviceAccount"]): Findings {
  const { name = "", namespace = "" } = account ?? {};
  if (name === "") yield fieldError.required(`${field}.name`);
  else if (name !== "*") yield* invalidFor(`${field}.name`, name, dnsSubdomain(name));
  if (namespace === "") {
    yield fieldError.required(`${field}.namespace`, "must specify namespace for service account");
  } else yield* invalidFor(`${field}.namespace`, namespace, dnsLabel(namespace));
}

const alone = (what: string): string => `if '*' is present, must not specify other ${what}`;

function* checkVerbs(field: string, given: readonly string[] = []): Findings {
  if (given.length === 0) yield fieldError.required(`${field}.verbs`, "verbs must contain at least one value");
  else if (given.includes("*")) {
    if (given.length > 1) yield fieldError.invalid(`${field}.verbs`, given, alone("verbs"));
  } else if (given.some((verb) => !verbs.includes(verb))) {
    yield fieldError.notSupported(`${field}.verbs`, given, verbs);
  }
}

function* checkResources(field: string, rule: ResourcePolicyRule): Findings {
  const { apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule;
  yield* checkVerbs(field, rule.verbs);
  if (apiGroups.length === 0) {
    yield fieldError.required(`${field}.apiGroups`, "resource rules must supply at least one api group");
  } else if (apiGroups.length > 1 && apiGroups.includes("*")) {
    yield fieldError.invalid(`${field}.apiGroups`, apiGroups, alone("api groups"));
  }
  if (resources.length === 0) {
    yield fieldError.required(`${field}.resources`, "resource rules must supply at least one resource");
  } else if (resources.length > 1 && resources.includes("*")) {
    yield fieldError.invalid(`${field}.resources`, resources, alone("resources"));
  }
  if (namespaces.length === 0 && !clusterScope) {
    const message = "resource rules that are not cluster scoped must supply at least one namespace";
    yield fieldError.required(`${field}.namespaces`, message);
  } else if (namespaces.includes("*")) {
    if (namespaces.length > 1) yield fieldError.invalid(`${field}.namespaces`, namespaces, alone("namespaces"));
  } else {
    for (const [at, name] of namespaces.entries()) {
      const messages = dnsLabel(name).map(
        (text) => `each member of this list must be '*' or a DNS-1123 label; ${text}`,
      );
      yield* invalidFor(`${field}.namespaces[${at}]`, name, messages);
    }
  }
}

function* checkPaths(field: string, { verbs: given, nonResourceURLs = [] }: NonResourcePolicyRule): Findings {
  yield* checkVerbs(field, given);
  const own = `${field}.nonResourceURLs`;
  if (nonResourceURLs.length === 0) yield fieldError.required(own, "nonResourceURLs must contain at least one value");
  else if (nonResourceURLs.includes("*")) {
    if (nonResourceURLs.length > 1) yield fieldError.invalid(own, nonResourceURLs, alone("non-resource URLs"));
  } else {
    for (const [at, path] of nonResourceURLs.entries()) {
      const message = pathMessage(path);
      if (message !== undefined) yield fieldError.invalid(`${own}[${at}]`, path, message);
    }
  }
}

function pathMessage(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path === "/") return undefined;
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const stars = path.split("*").length - 1;
  return stars > 1 || (stars === 1 && !path.endsWith("/*")) ? "wildcard can only do suffix matching" : undefined;
}
