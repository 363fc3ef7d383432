import type { NamedRuleWithOperations, ResourceDefinition } from "@skiff/api";
import type { AdmissionRequest } from "../../contracts.ts";

/** What a rule is compared with. */
export interface RuleTarget {
  readonly operation: AdmissionRequest["operation"];
  readonly resource: Pick<ResourceDefinition, "group" | "version" | "plural" | "scope">;
  readonly subresource: string | undefined;
  /** Names are compared only where a rule lists some. */
  readonly name: string;
}

/** Whether one rule of a webhook or policy means a request: each of its lists must have a word for it. */
export function ruleMatches(rule: NamedRuleWithOperations, target: RuleTarget): boolean {
  const { operation, resource } = target;
  return (
    scopeMatches(rule.scope, resource) &&
    named(rule.operations, operation) &&
    named(rule.apiGroups, resource.group) &&
    named(rule.apiVersions, resource.version) &&
    (rule.resources ?? []).some((words) => resourceMatches(words, target)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(target.name))
  );
}

const named = (words: readonly string[] | undefined, word: string): boolean =>
  words?.some((one) => one === "*" || one === word) ?? false;

/** Namespaces count as cluster-scoped, though requests for them are within themselves. */
const scopeMatches = (scope: string | undefined, resource: RuleTarget["resource"]): boolean =>
  scope === undefined ||
  scope === "" ||
  scope === "*" ||
  (scope === "Namespaced") === (resource.scope === "namespaced");

/** `pods`: pods without their subresources; `pods/*`: with them; `*`: all resources without, `*\/*`: with subresources. */
function resourceMatches(words: string, { resource, subresource = "" }: RuleTarget): boolean {
  const slash = words.indexOf("/");
  const plural = slash < 0 ? words : words.slice(0, slash);
  const part = slash < 0 ? "" : words.slice(slash + 1);
  return (plural === "*" || plural === resource.plural) && (part === "*" || part === subresource);
}
