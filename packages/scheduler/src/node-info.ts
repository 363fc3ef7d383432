import type { Node, Pod } from "@skiff/api";
import { type Amounts, amounts, type HostPort, podFacts, type Weight } from "./pod-facts.ts";

/** A node with what its pods take of it, kept up to date pod by pod. */
export class NodeInfo {
  #node: Node;
  #allocatable: Amounts;
  readonly #pods = new Map<string, Pod>();
  readonly #requested = new Map<string, number>();
  readonly #weight = { cpu: 0, memory: 0 };
  #hostPorts: readonly HostPort[] = [];

  constructor(node: Node) {
    this.#node = node;
    this.#allocatable = amounts(node.status?.allocatable);
  }

  get name(): string {
    return this.#node.metadata.name;
  }

  get node(): Node {
    return this.#node;
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

  /** The Node object has changed. */
  replaceNode(node: Node): void {
    this.#node = node;
    this.#allocatable = amounts(node.status?.allocatable);
  }

  /** Counts a pod, in place of an older version of it. */
  put(pod: Pod): void {
    this.remove(pod.metadata.uid);
    this.#pods.set(pod.metadata.uid, pod);
    this.#count(pod, 1);
  }

  /** No longer counts a pod. */
  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    this.#count(pod, -1);
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const { requests, weight, hostPorts } = podFacts(pod);
    this.#weight.cpu += sign * weight.cpu;
    this.#weight.memory += sign * weight.memory;
    for (const [name, amount] of requests) this.#requested.set(name, (this.#requested.get(name) ?? 0) + sign * amount);
    if (hostPorts.length > 0) this.#hostPorts = [...this.#pods.values()].flatMap((one) => podFacts(one).hostPorts);
  }
}
