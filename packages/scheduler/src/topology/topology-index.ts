import type { Pod } from "@skiff/api";
import type { NodeInfo } from "../node-info.ts";
import { DomainCounts } from "./domain-counts.ts";
import { inScope, LabelBuckets, type PodScope } from "./label-buckets.ts";
import { type PodTerm, podTerms } from "./pod-terms.ts";

/** What to count, and where. */
export interface CountRequest {
  /** The same for requests that count the same. */
  readonly key: string;
  readonly topologyKey: string;
  readonly scope: PodScope;
  /** More that a pod must be to count. */
  readonly counts?: (pod: Pod) => boolean;
  readonly takesPart?: (node: NodeInfo) => boolean;
}

interface Counter {
  readonly request: CountRequest;
  readonly counts: DomainCounts;
}

/** A term that placed pods have, and how many of them have it in each domain. */
export interface OwnedTerm {
  readonly term: PodTerm;
  readonly owners: DomainCounts;
}

/** Which terms of placed pods concern others. */
export type OwnedKind = "requiredAffinity" | "requiredAntiAffinity" | "preferred";

/** So many different counts are kept; those not asked for the longest go first. */
const counterLimit = 1_000;
const ownedKinds: readonly OwnedKind[] = ["requiredAffinity", "requiredAntiAffinity", "preferred"];

/**
 * Counts of placed pods by topology, made when first asked for and from then on kept up to date with every pod and node: what
 * spreading and pod affinity ask of the cluster costs what has changed since, not what there is.
 */
export class TopologyIndex {
  readonly #nodes: () => readonly NodeInfo[];
  readonly #counters = new Map<string, Counter>();
  readonly #countersOf = new LabelBuckets<Counter>();
  readonly #owned = new Map<string, OwnedTerm>();
  readonly #ownedOf: Readonly<Record<OwnedKind, LabelBuckets<OwnedTerm>>> = {
    requiredAffinity: new LabelBuckets(),
    requiredAntiAffinity: new LabelBuckets(),
    preferred: new LabelBuckets(),
  };

  constructor(nodes: () => readonly NodeInfo[]) {
    this.#nodes = nodes;
  }

  /** The counts that answer a request. */
  counts(request: CountRequest): DomainCounts {
    const known = this.#counters.get(request.key);
    if (known !== undefined) {
      this.#counters.delete(request.key);
      this.#counters.set(request.key, known);
      return known.counts;
    }
    const counts = new DomainCounts(request.topologyKey, request.takesPart);
    const counter = { request, counts };
    for (const node of this.#nodes()) {
      counts.putNode(node);
      for (const pod of node.pods) if (isCounted(request, pod)) counts.add(node, 1);
    }
    this.#counters.set(request.key, counter);
    this.#countersOf.add(counter, request.scope);
    const [oldest] = this.#counters.size > counterLimit ? this.#counters.values() : [];
    if (oldest !== undefined) {
      this.#counters.delete(oldest.request.key);
      this.#countersOf.remove(oldest, oldest.request.scope);
    }
    return counts;
  }

  /** Terms of placed pods that may mean this pod. */
  terms(kind: OwnedKind, pod: Pod): Iterable<OwnedTerm> {
    return this.#ownedOf[kind].candidates(pod);
  }

  putNode(node: NodeInfo): void {
    for (const { counts } of this.#counters.values()) counts.putNode(node);
    for (const { owners } of this.#owned.values()) owners.putNode(node);
  }

  removeNode(node: NodeInfo): void {
    for (const { counts } of this.#counters.values()) counts.removeNode(node);
    for (const { owners } of this.#owned.values()) owners.removeNode(node);
  }

  addPod(pod: Pod, node: NodeInfo): void {
    this.#count(pod, node, 1);
  }

  removePod(pod: Pod, node: NodeInfo): void {
    this.#count(pod, node, -1);
  }

  #count(pod: Pod, node: NodeInfo, delta: 1 | -1): void {
    for (const { request, counts } of this.#countersOf.candidates(pod)) {
      if (isCounted(request, pod)) counts.add(node, delta);
    }
    const terms = podTerms(pod);
    for (const kind of ownedKinds) for (const term of terms[kind]) this.#own(kind, term, node, delta);
  }

  #own(kind: OwnedKind, term: PodTerm, node: NodeInfo, delta: 1 | -1): void {
    const key = `${kind}|${term.key}`;
    let owned = this.#owned.get(key);
    if (owned === undefined) {
      if (delta < 0) return;
      owned = { term, owners: new DomainCounts(term.topologyKey) };
      for (const each of this.#nodes()) owned.owners.putNode(each);
      this.#owned.set(key, owned);
      this.#ownedOf[kind].add(owned, termScope(term));
    }
    owned.owners.add(node, delta);
    if (delta < 0 && owned.owners.empty) {
      this.#owned.delete(key);
      this.#ownedOf[kind].remove(owned, termScope(term));
    }
  }
}

const isCounted = ({ scope, counts }: CountRequest, pod: Pod): boolean =>
  inScope(scope, pod) && (counts === undefined || counts(pod));

/** Namespaces can change their labels: terms that select them lie where every pod looks. */
const termScope = ({ namespaces, namespaceSelector, selector }: PodTerm): PodScope => ({
  namespaces: namespaceSelector.requirements.length === 0 && !namespaceSelector.matches({}) ? namespaces : undefined,
  selector,
});
