import type { NodeInfo } from "../node-info.ts";

/** The nodes that share one value of a label, and what is counted on those that take part. */
export interface Domain {
  readonly value: string;
  count: number;
  /** How many nodes take part. */
  nodes: number;
  /** How many nodes have the label's value. */
  members: number;
}

/**
 * What is counted per value of a node label (a zone, a host), kept up to date count by count and node by node: reading is a
 * look-up, whatever the size of the cluster. Nodes that do not take part belong to their domain but what is on them does not count.
 */
export class DomainCounts {
  readonly key: string;
  readonly #takesPart: (node: NodeInfo) => boolean;
  readonly #domains = new Map<string, Domain>();
  readonly #domainAt: (Domain | undefined)[] = [];
  readonly #partAt: boolean[] = [];
  readonly #countAt: number[] = [];
  /** How many domains with nodes have a count. */
  readonly #withCount = new Map<number, number>();
  #size = 0;
  #total = 0;
  #sum = 0;
  #minimum: number | undefined;

  constructor(key: string, takesPart: (node: NodeInfo) => boolean = () => true) {
    this.key = key;
    this.#takesPart = takesPart;
  }

  /** The domain of a node; `undefined` where it has none, or none of whose nodes take part. */
  at(node: NodeInfo): Domain | undefined {
    const domain = this.#domainAt[node.slot];
    return domain === undefined || domain.nodes === 0 ? undefined : domain;
  }

  /** What is counted on the node itself, whether it takes part or not. */
  on(node: NodeInfo): number {
    return this.#countAt[node.slot] ?? 0;
  }

  /** How many domains have nodes that take part. */
  get size(): number {
    return this.#size;
  }

  /** Sum over all domains. */
  get total(): number {
    return this.#total;
  }

  /** Nothing is counted on any node, taking part or not. */
  get empty(): boolean {
    return this.#sum === 0;
  }

  /** The least count of any domain; 0 where there is none. */
  get minimum(): number {
    this.#minimum ??= this.#withCount.size === 0 ? 0 : Math.min(...this.#withCount.keys());
    return this.#minimum;
  }

  /** The least count of any domain if `domain` had `count`. */
  minimumSupposing(domain: Domain, count: number): number {
    if (count === domain.count) return this.minimum;
    if (count < domain.count) return Math.min(this.minimum, count);
    const alone = this.minimum === domain.count && this.#withCount.get(domain.count) === 1;
    if (!alone) return this.minimum;
    let least = count;
    for (const other of this.#withCount.keys()) if (other !== domain.count && other < least) least = other;
    return least;
  }

  /** Something more (or, negative, less) is on the node. */
  add(node: NodeInfo, delta: number): void {
    this.#countAt[node.slot] = this.on(node) + delta;
    this.#sum += delta;
    const domain = this.#domainAt[node.slot];
    if (domain !== undefined && this.#partAt[node.slot]) this.#change(domain, delta, 0);
  }

  /** The node is new or has changed. */
  putNode(node: NodeInfo): void {
    const value = node.node.metadata.labels?.[this.key];
    const part = value !== undefined && this.#takesPart(node);
    const before = this.#domainAt[node.slot];
    if (before?.value === value && this.#partAt[node.slot] === part) return;
    this.#leave(node);
    const domain = value === undefined ? undefined : this.#join(value);
    this.#domainAt[node.slot] = domain;
    this.#partAt[node.slot] = part;
    if (domain !== undefined && part) this.#change(domain, this.on(node), 1);
  }

  /** The node is gone, and what was on it. */
  removeNode(node: NodeInfo): void {
    this.#leave(node);
    this.#sum -= this.on(node);
    this.#countAt[node.slot] = 0;
  }

  #join(value: string): Domain {
    const domain = this.#domains.get(value) ?? { value, count: 0, nodes: 0, members: 0 };
    domain.members++;
    this.#domains.set(value, domain);
    return domain;
  }

  #leave(node: NodeInfo): void {
    const domain = this.#domainAt[node.slot];
    if (domain === undefined) return;
    if (this.#partAt[node.slot]) this.#change(domain, -this.on(node), -1);
    this.#partAt[node.slot] = false;
    this.#domainAt[node.slot] = undefined;
    domain.members--;
    if (domain.members === 0) this.#domains.delete(domain.value);
  }

  #change(domain: Domain, delta: number, nodes: -1 | 0 | 1): void {
    if (domain.nodes > 0) this.#tally(domain.count, -1);
    domain.count += delta;
    domain.nodes += nodes;
    this.#total += delta;
    if (domain.nodes > 0) this.#tally(domain.count, 1);
  }

  #tally(count: number, by: 1 | -1): void {
    const domains = (this.#withCount.get(count) ?? 0) + by;
    if (domains === 0) this.#withCount.delete(count);
    else this.#withCount.set(count, domains);
    this.#size += by;
    this.#minimum = undefined;
  }
}
