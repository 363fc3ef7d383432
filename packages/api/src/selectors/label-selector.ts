import type { LabelSelector } from "../generated/types/meta-v1.ts";

export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** A parsed label selector, from a query parameter or from an object. */
export interface LabelMatcher {
  readonly requirements: readonly LabelRequirement[];
  /** Canonical text, fit for the query parameter `labelSelector`. */
  readonly text: string;
  matches(labels: Labels | undefined): boolean;
}

export class SelectorError extends Error {
  override name = "SelectorError";
}

/** Matches all objects. */
export const everything: LabelMatcher = { requirements: [], text: "", matches: () => true };
/** Matches no object: what an absent selector means in most specs. */
export const nothing: LabelMatcher = { requirements: [], text: "", matches: () => false };

/** Reads `a=b,c!=d,e in (x,y),!f`. Throws `SelectorError` with Kubernetes' text. */
export function parseLabelSelector(_text: string): LabelMatcher {
  throw new Error("not yet");
}
/** Reads a selector object: absent matches nothing, an empty one everything. Throws `SelectorError`. */
export function labelSelectorOf(_selector: LabelSelector | undefined): LabelMatcher {
  throw new Error("not yet");
}
/** Matches objects that have all of the given labels. Throws nothing. */
export function labelsSelector(_labels: Labels | undefined): LabelMatcher {
  throw new Error("not yet");
}
