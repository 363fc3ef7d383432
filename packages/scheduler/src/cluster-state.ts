import { isPodTerminal, type Node, type Pod } from "@skiff/api";
import { NodeInfo } from "./node-info.ts";

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
  #list: readonly NodeInfo[] | undefined;

  /** All nodes; the same list until one comes or goes. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()];
    return this.#list;
  }

  putNode(node: Node): void {
    const { name } = node.metadata;
    const known = this.#nodes.get(name);
    if (known !== undefined) {
      known.replaceNode(node);
      return;
    }
    const info = new NodeInfo(node);
    this.#nodes.set(name, info);
    this.#list = undefined;
    for (const pod of [...this.#homeless.values()].filter(({ spec }) => spec.nodeName === name)) this.putPod(pod);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#nodes.delete(name);
    this.#list = undefined;
    for (const pod of info.pods) {
      this.#placed.delete(pod.metadata.uid);
      this.#homeless.set(pod.metadata.uid, pod);
    }
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
    this.#nodes.get(nodeName)?.remove(uid);
  }

  /** Counts a pod on the node that it is being bound to, before the API says so. */
  assume(pod: Pod, nodeName: string): void {
    this.#assumed.add(pod.metadata.uid);
    this.#place(pod, nodeName);
  }

  /** The binding failed. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.removePod(uid);
  }

  #place(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    const before = this.#placed.get(uid);
    if (before !== undefined && before !== nodeName) this.#nodes.get(before)?.remove(uid);
    const info = this.#nodes.get(nodeName);
    if (info === undefined) {
      this.#placed.delete(uid);
      this.#homeless.set(uid, pod);
      return;
    }
    this.#homeless.delete(uid);
    this.#placed.set(uid, nodeName);
    info.put(pod);
  }
}
