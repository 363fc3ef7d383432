import type { LabelSelector } from "../generated/types/meta-v1.ts";
import { parseRequirements } from "./label-selector-parser.ts";
import { checkRequirement, type LabelRequirement, type Labels, requirementText, satisfies } from "./requirement.ts";
import { SelectorError } from "./selector-error.ts";

/** A parsed label selector, from a query parameter or from an object. */
export interface LabelMatcher {
  readonly requirements: readonly LabelRequirement[];
  /** Canonical text, fit for the query parameter `labelSelector`. */
  readonly text: string;
  matches(labels: Labels | undefined): boolean;
}

/** Matches all objects. */
export const everything: LabelMatcher = { requirements: [], text: "", matches: () => true };
/** Matches no object: what an absent selector means in most specs. */
export const nothing: LabelMatcher = { requirements: [], text: "", matches: () => false };

const none: Labels = {};

function matcherOf(unsorted: readonly LabelRequirement[]): LabelMatcher {
  if (unsorted.length === 0) return everything;
  const requirements = [...unsorted].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  let text: string | undefined;
  return {
    requirements,
    get text() {
      text ??= requirements.map(requirementText).join(",");
      return text;
    },
    matches: (labels) => requirements.every((requirement) => satisfies(requirement, labels ?? none)),
  };
}

/** Reads `a=b,c!=d,e in (x,y),!f`. Throws `SelectorError` with Kubernetes' text. */
export const parseLabelSelector = (text: string): LabelMatcher => matcherOf(parseRequirements(text));

const operators: ReadonlyMap<string, LabelRequirement["operator"]> = new Map([
  ["In", "in"],
  ["NotIn", "notin"],
  ["Exists", "exists"],
  ["DoesNotExist", "!"],
]);

/** Reads a selector object: absent matches nothing, an empty one everything. Throws `SelectorError`. */
export function labelSelectorOf(selector: LabelSelector | undefined): LabelMatcher {
  if (selector === undefined) return nothing;
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    checkRequirement({ key, operator: "=", values: [value] }),
  );
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = operators.get(operator);
    if (known === undefined)
      throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(checkRequirement({ key, operator: known, values: [...(values ?? [])].sort() }));
  }
  return matcherOf(requirements);
}

/** Matches objects that have all of the given labels, unchecked; no labels match every object. */
export const labelsSelector = (labels: Labels | undefined): LabelMatcher =>
  matcherOf(Object.entries(labels ?? none).map(([key, value]) => ({ key, operator: "=", values: [value] })));
