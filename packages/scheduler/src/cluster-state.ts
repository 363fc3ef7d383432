import { isPodTerminal, type KubeObject, type Node, type Pod, type ResourceDefinition } from "@skiff/api";
import { jsonEqual } from "@skiff/base";
import type { Informers } from "@skiff/client";
import { ChangeLog } from "./change-log.ts";
import type { ClusterView } from "./framework.ts";
import { NodeInfo } from "./node-info.ts";
import { Nominations } from "./nominations.ts";
import { podFacts } from "./pod-facts.ts";
import { ClaimUse } from "./topology/claim-use.ts";
import { ImageIndex } from "./topology/image-index.ts";
import { TopologyIndex } from "./topology/topology-index.ts";

/**
 * All nodes with their pods as the scheduler sees them: what the informers say, and on top of it the pods that it has
 * placed but whose binding has not come back yet (assumed pods). Cost of a change is that of the one node it touches.
 */
export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Which node a counted pod is on, by uid. */
  readonly #placed = new Map<string, string>();
  /** Pods of nodes that are not (yet) known. */
  readonly #homeless = new Map<string, Pod>();
  readonly #assumed = new Set<string>();
  readonly #freeSlots: number[] = [];
  #list: readonly NodeInfo[] | undefined;
  #names: readonly string[] | undefined;
  #slots: Int32Array | undefined;
  #inOrder: boolean | undefined;
  /** Counts of pods by topology. */
  readonly topology = new TopologyIndex(() => this.nodes);
  /** How many pods use claims. */
  readonly claims = new ClaimUse();
  /** On how many nodes images are. */
  readonly images = new ImageIndex();
  /** Which nodes have changed, by slot: whenever a node's generation has. */
  readonly changes = new ChangeLog();
  /** Pods for which room was made. */
  readonly nominations = new Nominations((name) => {
    const info = this.#nodes.get(name);
    info?.touch();
    if (info !== undefined) this.changes.note(info.slot);
  });

  /** All nodes; the same list until one comes or goes. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()];
    return this.#list;
  }

  /** Their names, in the same order; kept as the list is. */
  get names(): readonly string[] {
    this.#names ??= this.nodes.map(({ name }) => name);
    return this.#names;
  }

  /** Their slots, in the same order; kept as the list is. */
  get slots(): Int32Array {
    this.#slots ??= Int32Array.from(this.nodes, ({ slot }) => slot);
    return this.#slots;
  }

  /** The list has each node at the place of its slot: so it is until nodes go. */
  get isInSlotOrder(): boolean {
    this.#inOrder ??= this.#freeSlots.length === 0 && this.slots.every((slot, index) => slot === index);
    return this.#inOrder;
  }

  /** All slots are below this. */
  get slotCount(): number {
    return this.#nodes.size + this.#freeSlots.length;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  /** Whether anything changed that decisions depend on. */
  putNode(node: Node): boolean {
    const { name } = node.metadata;
    const known = this.#nodes.get(name);
    if (known !== undefined) {
      this.images.replace(known.node, node);
      const changed = known.replaceNode(node);
      if (!changed) return false;
      this.topology.putNode(known);
      this.changes.note(known.slot);
      return true;
    }
    const info = new NodeInfo(node, this.#freeSlots.pop() ?? this.#nodes.size);
    this.#nodes.set(name, info);
    this.#listChanged();
    this.changes.note(info.slot);
    this.images.replace(undefined, node);
    this.topology.putNode(info);
    for (const pod of [...this.#homeless.values()].filter(({ spec }) => spec.nodeName === name)) this.putPod(pod);
    return true;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    for (const pod of info.pods) {
      this.topology.removePod(pod, info);
      this.claims.add(pod, -1);
      this.#placed.delete(pod.metadata.uid);
      this.#homeless.set(pod.metadata.uid, pod);
    }
    this.topology.removeNode(info);
    this.images.replace(info.node, undefined);
    this.#freeSlots.push(info.slot);
    this.#nodes.delete(name);
    this.#listChanged();
  }

  /** A pod as the API has it. Pods without a node count nowhere, unless they are assumed. */
  putPod(pod: Pod): void {
    const { uid } = pod.metadata;
    const { nodeName } = pod.spec;
    if (!nodeName && this.#assumed.has(uid)) return;
    if (nodeName) this.#assumed.delete(uid);
    if (!nodeName || isPodTerminal(pod)) this.removePod(uid);
    else this.#place(pod, nodeName);
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid);
    this.#homeless.delete(uid);
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    const info = this.#nodes.get(nodeName);
    if (info !== undefined) this.#take(uid, info);
  }

  /** Counts a pod on the node that it is being bound to, before the API says so. */
  assume(pod: Pod, nodeName: string): void {
    this.#assumed.add(pod.metadata.uid);
    this.#place(pod, nodeName);
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  /** The binding failed. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.removePod(uid);
  }

  /** Has every node asked about anew. */
  touchAll(): void {
    for (const info of this.#nodes.values()) {
      info.touch();
      this.changes.note(info.slot);
    }
  }

  #listChanged(): void {
    this.#list = undefined;
    this.#names = undefined;
    this.#slots = undefined;
    this.#inOrder = undefined;
  }

  #place(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    const before = this.#placed.get(uid);
    const info = this.#nodes.get(nodeName);
    if (before === nodeName && info !== undefined) {
      const old = info.pod(uid);
      if (old !== undefined && countsTheSame(old, pod)) {
        info.renew(pod);
        return;
      }
    }
    const left = before === undefined ? undefined : this.#nodes.get(before);
    if (left !== undefined) this.#take(uid, left);
    if (info === undefined) {
      this.#placed.delete(uid);
      this.#homeless.set(uid, pod);
      return;
    }
    this.#homeless.delete(uid);
    this.#placed.set(uid, nodeName);
    info.put(pod);
    this.changes.note(info.slot);
    this.topology.addPod(pod, info);
    this.claims.add(pod, 1);
  }

  #take(uid: string, info: NodeInfo): void {
    const pod = info.pod(uid);
    if (pod === undefined) return;
    info.remove(uid);
    this.changes.note(info.slot);
    this.topology.removePod(pod, info);
    this.claims.add(pod, -1);
  }
}

/** Most changes of a placed pod are reports of its state, which change nothing for others; of victims the youngest go first. */
const countsTheSame = (old: Pod, pod: Pod): boolean =>
  podFacts(old) === podFacts(pod) &&
  old.status?.startTime === pod.status?.startTime &&
  (old.metadata.deletionTimestamp === undefined) === (pod.metadata.deletionTimestamp === undefined) &&
  jsonEqual(old.metadata.labels ?? {}, pod.metadata.labels ?? {});

/** The cluster as plugins see it. */
export const viewOf = (state: ClusterState, informers: Informers): ClusterView => ({
  get nodes() {
    return state.nodes;
  },
  topology: state.topology,
  images: state.images,
  claims: state.claims,
  node: (name) => state.node(name),
  informer: <T extends KubeObject>(resource: ResourceDefinition<T>) => informers.for(resource),
});
