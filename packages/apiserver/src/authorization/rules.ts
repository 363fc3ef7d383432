import type { PolicyRule } from "@skiff/api";
import type { Access } from "./access.ts";

/** True when a rule of a role allows an access. */
export function ruleAllows(rule: PolicyRule, access: Access): boolean {
  if (!has(rule.verbs, access.verb)) return false;
  if (access.kind === "path") return rule.nonResourceURLs?.some((url) => pathMatches(url, access.path)) ?? false;
  if (!has(rule.apiGroups, access.group) || !resourceMatches(rule.resources, access)) return false;
  const names = rule.resourceNames;
  return names === undefined || names.length === 0 || names.includes(access.name ?? "");
}

const has = (allowed: readonly string[] | undefined, wanted: string): boolean =>
  allowed?.some((item) => item === "*" || item === wanted) ?? false;

function resourceMatches(
  resources: readonly string[] | undefined,
  { plural, subresource }: { readonly plural: string; readonly subresource?: string | undefined },
): boolean {
  const wanted = subresource === undefined || subresource === "" ? plural : `${plural}/${subresource}`;
  return (
    resources?.some(
      (item) =>
        item === "*" ||
        item === wanted ||
        (item.startsWith("*/") && wanted !== plural && item.slice(2) === subresource),
    ) ?? false
  );
}

const pathMatches = (url: string, path: string): boolean =>
  url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1)));
