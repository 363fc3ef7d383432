import { type Pod, Pods } from "@skiff/api";
import type { CacheChange, Informers } from "@skiff/client";

const byNode = "node name";
const byAddress = "address";

/** Tells each node of its own pods only: what a change costs does not grow with the number of nodes. */
export class PodFeed implements Disposable {
  readonly #informers: Informers;
  readonly #listeners = new Map<string, (change: CacheChange<Pod>) => void>();
  readonly #subscription: Disposable;

  constructor(informers: Informers) {
    this.#informers = informers;
    const pods = informers.for(Pods);
    pods.addIndex(byNode, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
    pods.addIndex(byAddress, ({ status }) => (status?.podIP ? [status.podIP] : []));
    this.#subscription = pods.onChange((change) => this.#listeners.get(change.object.spec.nodeName ?? "")?.(change));
  }

  /** Calls `listener` for the node's pods of now (as `added`) and for every change. */
  listen(nodeName: string, listener: (change: CacheChange<Pod>) => void): Disposable {
    this.#listeners.set(nodeName, listener);
    for (const object of this.of(nodeName)) listener({ kind: "added", object });
    return { [Symbol.dispose]: () => void this.#listeners.delete(nodeName) };
  }

  /** The node's pods of now. */
  of(nodeName: string): readonly Pod[] {
    return this.#informers.for(Pods).byIndex(byNode, nodeName);
  }

  /** Whether a pod has the address. */
  hasAddress(address: string): boolean {
    return this.#informers.for(Pods).byIndex(byAddress, address).length > 0;
  }

  /** The pod as it is known now. */
  find({ name, namespace }: Pod["metadata"]): Pod | undefined {
    return this.#informers.for(Pods).get(name, namespace);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}
