import type { Node, Pod } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import { type Amounts, amounts, type HostPort, podFacts, type Weight } from "./pod-facts.ts";

let lastGeneration = 0;

/** A node with what its pods take of it, kept up to date pod by pod. */
export class NodeInfo {
  /** A small number of its own among the nodes of a cluster, for arrays beside it. */
  readonly slot: number;
  #node: Node;
  #allocatable: Amounts;
  #generation = ++lastGeneration;
  readonly #pods = new Map<string, Pod>();
  readonly #requested = new Map<string, number>();
  readonly #weight = { cpu: 0, memory: 0 };
  #hostPorts: readonly HostPort[] = [];

  constructor(node: Node, slot = 0, allocatable = amounts(node.status?.allocatable)) {
    this.slot = slot;
    this.#node = node;
    this.#allocatable = allocatable;
  }

  get name(): string {
    return this.#node.metadata.name;
  }

  get node(): Node {
    return this.#node;
  }

  /** Changes with everything that filters and scores may look at; never the same for two nodes. */
  get generation(): number {
    return this.#generation;
  }

  /** What pods may take in all. */
  get allocatable(): Amounts {
    return this.#allocatable;
  }

  /** What its pods take. */
  get requested(): Amounts {
    return this.#requested;
  }

  /** What its pods count for when nodes are compared. */
  get weight(): Weight {
    return this.#weight;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  get hostPorts(): readonly HostPort[] {
    return this.#hostPorts;
  }

  get pods(): Iterable<Pod> {
    return this.#pods.values();
  }

  /** A pod of it by uid. */
  pod(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  /** The Node object has changed; whether in anything that scheduling looks at. */
  replaceNode(node: Node): boolean {
    const old = this.#node;
    this.#node = node;
    if (
      jsonEqual(old.spec, node.spec) &&
      jsonEqual(old.metadata.labels ?? {}, node.metadata.labels ?? {}) &&
      jsonEqual(old.status?.allocatable ?? {}, node.status?.allocatable ?? {}) &&
      jsonEqual(old.status?.images ?? [], node.status?.images ?? []) &&
      jsonEqual(old.status?.declaredFeatures ?? [], node.status?.declaredFeatures ?? [])
    ) {
      return false;
    }
    this.#allocatable = amounts(node.status?.allocatable);
    this.#generation = ++lastGeneration;
    return true;
  }

  /** Counts a pod, in place of an older version of it. */
  put(pod: Pod): void {
    this.remove(pod.metadata.uid);
    this.#pods.set(pod.metadata.uid, pod);
    this.#count(pod, 1);
  }

  /** A newer version of a counted pod that takes the same. */
  renew(pod: Pod): void {
    this.#pods.set(pod.metadata.uid, pod);
  }

  /** No longer counts a pod. */
  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    this.#count(pod, -1);
  }

  /** Something about it has changed that it does not know itself, such as who is nominated to it. */
  touch(): void {
    this.#generation = ++lastGeneration;
  }

  /** One that is the same now, to try on it what would be. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.#node, this.slot, this.#allocatable);
    for (const [uid, pod] of this.#pods) copy.#pods.set(uid, pod);
    for (const [name, amount] of this.#requested) copy.#requested.set(name, amount);
    copy.#weight.cpu = this.#weight.cpu;
    copy.#weight.memory = this.#weight.memory;
    copy.#hostPorts = this.#hostPorts;
    return copy;
  }

  /** The node as it would be without some pods and with others. */
  supposing({ added, gone }: { readonly added: readonly Pod[]; readonly gone: readonly Pod[] }): NodeInfo {
    const copy = this.copy();
    for (const { metadata } of gone) copy.remove(metadata.uid);
    for (const pod of added) copy.put(pod);
    return copy;
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const { requests, weight, hostPorts } = podFacts(pod);
    this.#generation = ++lastGeneration;
    this.#weight.cpu += sign * weight.cpu;
    this.#weight.memory += sign * weight.memory;
    for (const [name, amount] of requests) this.#requested.set(name, (this.#requested.get(name) ?? 0) + sign * amount);
    if (hostPorts.length > 0) this.#hostPorts = [...this.#pods.values()].flatMap((one) => podFacts(one).hostPorts);
  }
}
