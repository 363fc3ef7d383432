import type { KubeObject, MatchResources, ParamRef, ResourceDefinition } from "@skiff/api";
import type { AdmissionRequest, ResourceStorage, ResourceTable } from "../../contracts.ts";
import { isExempt, type Match, RequestMatcher } from "../matching/request-matcher.ts";

/** What both kinds of policies have that decides which requests they are for. */
export type PolicyObject = KubeObject & {
  readonly spec: { readonly matchConstraints?: MatchResources | undefined };
};

export type BindingObject = KubeObject & {
  readonly spec: {
    readonly policyName?: string | undefined;
    readonly matchResources?: MatchResources | undefined;
    readonly paramRef?: ParamRef | undefined;
  };
};

/** A policy with its bindings. A policy that nothing binds does nothing. */
export interface BoundPolicy<P extends PolicyObject, B extends BindingObject> {
  readonly policy: P;
  readonly matcher: RequestMatcher;
  readonly bindings: readonly { readonly binding: B; readonly matcher: RequestMatcher | undefined }[];
}

export interface PolicyCandidate<P extends PolicyObject, B extends BindingObject> extends BoundPolicy<P, B> {
  readonly match: Match;
}

/**
 * All bound policies of one sort in the order of their names, read anew when a policy or a binding has changed. Which of
 * them the rules mean is remembered by resource: a write that none is for costs one look-up.
 */
export class ConfiguredPolicies<P extends PolicyObject, B extends BindingObject> {
  readonly #table: ResourceTable;
  readonly #policies: ResourceDefinition<P>;
  readonly #bindings: ResourceDefinition<B>;
  #served: Served<P, B> | undefined;
  #tableVersion = -1;
  #policyRevision = -1;
  #bindingRevision = -1;
  /** Rules ask for names of objects: then names are part of what is remembered. */
  #asksNames = false;
  #all: readonly BoundPolicy<P, B>[] = [];
  #byResource = new WeakMap<ResourceDefinition, Map<string, readonly PolicyCandidate<P, B>[]>>();

  constructor(table: ResourceTable, policies: ResourceDefinition<P>, bindings: ResourceDefinition<B>) {
    this.#table = table;
    this.#policies = policies;
    this.#bindings = bindings;
  }

  /** The policies whose rules mean a request, in order. Selectors, bindings and conditions are not asked yet. */
  candidates(request: AdmissionRequest): readonly PolicyCandidate<P, B>[] {
    this.#refresh();
    if (this.#all.length === 0 || isExempt(request)) return none;
    const { resource, operation, subresource } = request;
    let known = this.#byResource.get(resource);
    if (known === undefined) {
      known = new Map();
      this.#byResource.set(resource, known);
    }
    const key = `${operation} ${subresource ?? ""} ${this.#asksNames ? request.name : ""}`;
    let found = known.get(key);
    if (found === undefined) {
      found = this.#all.flatMap((one) => {
        const match = one.matcher.matchRules(request);
        return match === undefined ? [] : [{ ...one, match }];
      });
      if (known.size >= mostKnown) known.clear();
      known.set(key, found);
    }
    return found;
  }

  #refresh(): void {
    const { version } = this.#table;
    const served = version === this.#tableVersion ? this.#served : this.#find();
    if (served === undefined) return;
    const { policies, bindings } = served;
    if (
      version === this.#tableVersion &&
      policies.lastRevision === this.#policyRevision &&
      bindings.lastRevision === this.#bindingRevision
    ) {
      return;
    }
    this.#served = served;
    this.#tableVersion = version;
    this.#policyRevision = policies.lastRevision;
    this.#bindingRevision = bindings.lastRevision;
    this.#byResource = new WeakMap();
    const all = bindings.peekAll();
    this.#all = policies.peekAll().flatMap((policy) => bound(policy, all, this.#table));
    this.#asksNames = this.#all.some(byName);
  }

  #find(): Served<P, B> | undefined {
    const table = this.#table;
    if (table.find(this.#policies) === undefined || table.find(this.#bindings) === undefined) return undefined;
    return { policies: table.of(this.#policies), bindings: table.of(this.#bindings) };
  }
}

interface Served<P extends PolicyObject, B extends BindingObject> {
  readonly policies: ResourceStorage<P>;
  readonly bindings: ResourceStorage<B>;
}

const none: readonly never[] = [];
/** What is remembered of one resource; names would let it grow without end. */
const mostKnown = 1000;

const byName = ({ policy }: BoundPolicy<PolicyObject, BindingObject>): boolean => {
  const { resourceRules = [], excludeResourceRules = [] } = policy.spec.matchConstraints ?? {};
  return [...resourceRules, ...excludeResourceRules].some(({ resourceNames }) => (resourceNames?.length ?? 0) > 0);
};

function bound<P extends PolicyObject, B extends BindingObject>(
  policy: P,
  bindings: readonly B[],
  table: ResourceTable,
): BoundPolicy<P, B>[] {
  const own = bindings.filter(({ spec }) => spec?.policyName === policy.metadata.name);
  if (own.length === 0) return [];
  const { matchConstraints } = policy.spec;
  return [
    {
      policy,
      matcher: matcherOf(matchConstraints ?? {}, matchConstraints?.resourceRules ?? [], table),
      bindings: own.map((binding) => {
        const { matchResources } = binding.spec;
        // A binding without rules is for all that its policy is for.
        const rules = matchResources?.resourceRules?.length ? matchResources.resourceRules : undefined;
        return { binding, matcher: matchResources === undefined ? undefined : matcherOf(matchResources, rules, table) };
      }),
    },
  ];
}

const matcherOf = (
  match: MatchResources,
  rules: MatchResources["resourceRules"],
  table: ResourceTable,
): RequestMatcher =>
  new RequestMatcher(
    {
      rules,
      excluded: match.excludeResourceRules,
      matchPolicy: match.matchPolicy,
      namespaceSelector: match.namespaceSelector,
      objectSelector: match.objectSelector,
    },
    table,
  );
