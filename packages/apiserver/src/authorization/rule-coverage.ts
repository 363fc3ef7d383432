/** Whether rules that somebody has include rules that they want to give. */
import type { PolicyRule } from "@skiff/api";

/** Those of `wanted`, broken up into the smallest rules, that no rule of `owned` includes. */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(breakUp).filter((part) => !owned.some((rule) => covers(rule, part)));
}

/** `get, list` on `pods, services` becomes four rules. */
function breakUp({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule) {
  const parts: PolicyRule[] = [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (resourceNames.length === 0) parts.push(part);
        for (const name of resourceNames) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  for (const url of nonResourceURLs) for (const verb of verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  return parts;
}

function covers(rule: PolicyRule, part: PolicyRule): boolean {
  return (
    includes(rule.verbs, part.verbs) &&
    includes(rule.apiGroups, part.apiGroups) &&
    coversResources(rule.resources, part.resources) &&
    coversUrls(rule.nonResourceURLs, part.nonResourceURLs) &&
    coversNames(rule.resourceNames, part.resourceNames)
  );
}

const includes = (owned: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  owned.includes("*") || wanted.every((item) => owned.includes(item));

/** A star before the slash stands for all resources: who may scale everything may scale deployments. */
const coversResources = (owned: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  owned.includes("*") ||
  wanted.every((item) => {
    const slash = item.indexOf("/");
    return owned.includes(item) || (slash >= 0 && owned.includes(`*${item.slice(slash)}`));
  });

const coversUrls = (owned: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  wanted.every((path) =>
    owned.some((url) => url === path || (url.endsWith("*") && path.startsWith(url.replace(/\*+$/, "")))),
  );

/** A rule for all names includes those for some, and not the other way round. */
const coversNames = (owned: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  owned.length === 0 || (wanted.length > 0 && wanted.every((name) => owned.includes(name)));

/** Puts rules that differ in their verbs alone together again. */
export function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const complex = rules.filter((rule) => !isSimple(rule));
  const simple = Map.groupBy(rules.filter(isSimple), ({ apiGroups, resources, resourceNames }) =>
    JSON.stringify([apiGroups, resources, resourceNames]),
  );
  const merged = [...simple.values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : [{ ...first, verbs: [first, ...more].flatMap(({ verbs }) => verbs) }],
  );
  return [...complex, ...merged];
}

const isSimple = ({ apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): boolean =>
  apiGroups?.length === 1 &&
  resources?.length === 1 &&
  (resourceNames?.length ?? 0) <= 1 &&
  (nonResourceURLs?.length ?? 0) === 0;

/** `["a" "b"]`: a list as Kubernetes prints it. */
export const listText = (items: readonly string[]): string =>
  `[${items.map((item) => JSON.stringify(item)).join(" ")}]`;

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["NonResourceURLs", nonResourceURLs],
    ["ResourceNames", resourceNames],
    ["Verbs", verbs],
  ];
  const shown = parts.flatMap(([title, items]) =>
    items === undefined || items.length === 0 ? [] : [`${title}:${listText(items)}`],
  );
  return `{${shown.join(", ")}}`;
}
