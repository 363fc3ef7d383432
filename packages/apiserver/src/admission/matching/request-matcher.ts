import {
  type LabelMatcher,
  type LabelSelector,
  labelSelectorOf,
  type NamedRuleWithOperations,
  type ResourceDefinition,
} from "@skiff/api";
import type { AdmissionRequest, KindName, ResourceTable } from "../../contracts.ts";
import { equivalentsOf, kindOf } from "./equivalents.ts";
import { ruleMatches } from "./rule-match.ts";
import { namespaceMatches, objectMatches } from "./selector-match.ts";

/** Which requests a webhook or a policy is for. */
export interface MatchCriteria {
  /** `undefined`: all requests; empty: none. */
  readonly rules: readonly NamedRuleWithOperations[] | undefined;
  /** What is left out again. */
  readonly excluded?: readonly NamedRuleWithOperations[] | undefined;
  /** `Equivalent` where absent: a request in another version of what a rule means is meant, too. */
  readonly matchPolicy?: string | undefined;
  /** Absent and empty ones select everything. */
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly objectSelector?: LabelSelector | undefined;
}

/** In which version a request is meant. */
export interface Match {
  readonly resource: ResourceDefinition;
  readonly kind: KindName;
}

const group = "admissionregistration.k8s.io";

/** Webhook configurations and policies are beyond the reach of both: a broken one can always be mended. */
export const isExempt = ({ resource }: Pick<AdmissionRequest, "resource">): boolean =>
  resource.group === group &&
  /^(validating|mutating)(webhookconfigurations|admissionpolic(ies|ybindings))$/.test(resource.plural);

/**
 * Decides whether requests are meant by rules and selectors. What rules say of a resource is found out once, so that most
 * requests, which no rule means, cost a look into a map.
 */
export class RequestMatcher {
  readonly #criteria: MatchCriteria;
  readonly #table: ResourceTable;
  readonly #namespaceSelector: LabelMatcher;
  readonly #objectSelector: LabelMatcher;
  readonly #byName: boolean;
  #known = new WeakMap<ResourceDefinition, Map<string, Match | undefined>>();
  #tableVersion: number;

  constructor(criteria: MatchCriteria, table: ResourceTable) {
    this.#criteria = criteria;
    this.#table = table;
    this.#namespaceSelector = labelSelectorOf(criteria.namespaceSelector ?? {});
    this.#objectSelector = labelSelectorOf(criteria.objectSelector ?? {});
    const rules = [...(criteria.rules ?? []), ...(criteria.excluded ?? [])];
    this.#byName = rules.some(({ resourceNames }) => (resourceNames?.length ?? 0) > 0);
    this.#tableVersion = table.version;
  }

  /** What rules alone say. */
  matchRules(request: AdmissionRequest): Match | undefined {
    if (this.#byName) return this.#findMatch(request);
    if (this.#tableVersion !== this.#table.version) {
      this.#known = new WeakMap();
      this.#tableVersion = this.#table.version;
    }
    const { resource, operation, subresource } = request;
    let known = this.#known.get(resource);
    if (known === undefined) {
      known = new Map();
      this.#known.set(resource, known);
    }
    const key = subresource === undefined ? operation : `${operation} ${subresource}`;
    if (known.has(key)) return known.get(key);
    const found = this.#findMatch(request);
    known.set(key, found);
    return found;
  }

  /** Whether and in which version a request is meant; a promise only where a namespace has to be read. Rejects with 404 where its namespace is not there to be asked for labels. */
  match(request: AdmissionRequest): Match | undefined | Promise<Match | undefined> {
    const match = this.matchRules(request);
    if (match === undefined || !objectMatches(this.#objectSelector, request)) return undefined;
    const selected = namespaceMatches(this.#namespaceSelector, request, this.#table);
    if (selected instanceof Promise) return selected.then((is) => (is ? match : undefined));
    return selected ? match : undefined;
  }

  #findMatch(request: AdmissionRequest): Match | undefined {
    if (isExempt(request)) return undefined;
    const { rules, excluded = [] } = this.#criteria;
    if (excluded.length > 0 && this.#firstOf(excluded, request) !== undefined) return undefined;
    if (rules === undefined) return { resource: request.resource, kind: request.kind };
    return this.#firstOf(rules, request);
  }

  /** The version asked for counts first, then those that an earlier rule means. */
  #firstOf(rules: readonly NamedRuleWithOperations[], request: AdmissionRequest): Match | undefined {
    const { operation, resource, subresource, name, kind } = request;
    const target = { operation, subresource, name };
    if (rules.some((rule) => ruleMatches(rule, { ...target, resource }))) return { resource, kind };
    if (this.#criteria.matchPolicy === "Exact") return undefined;
    const equivalents = equivalentsOf(this.#table, resource, subresource);
    for (const rule of rules) {
      const other = equivalents.find((equivalent) => ruleMatches(rule, { ...target, resource: equivalent }));
      if (other !== undefined) return { resource: other, kind: kindOf(other, subresource) };
    }
    return undefined;
  }
}
