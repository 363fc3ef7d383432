import type { Pod } from "@skiff/api";

const none: ReadonlyMap<string, Pod> = new Map();

/** Pods that wait for the end of others, each with the node where room is being made for it. */
export class Nominations {
  readonly #nodeOf = new Map<string, string>();
  readonly #byNode = new Map<string, Map<string, Pod>>();
  readonly #changed: (node: string) => void;

  /** `changed` is told of each node to which a pod has come to be nominated, or is no longer. */
  constructor(changed: (node: string) => void = () => {}) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#nodeOf.size;
  }

  /** Pods nominated to the node, by uid. */
  on(node: string): ReadonlyMap<string, Pod> {
    return this.#byNode.get(node) ?? none;
  }

  /** Those of them that a pod of this priority has to leave room for: all that are as important, itself aside. */
  before(node: string, { uid, priority }: { readonly uid: string; readonly priority: number }): readonly Pod[] {
    const here = this.#byNode.get(node);
    if (here === undefined) return [];
    return [...here.values()].filter((one) => one.metadata.uid !== uid && (one.spec.priority ?? 0) >= priority);
  }

  /** The node a pod is nominated to. */
  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  put(pod: Pod, node: string): void {
    const { uid } = pod.metadata;
    this.remove(uid);
    this.#nodeOf.set(uid, node);
    this.#byNode.set(node, (this.#byNode.get(node) ?? new Map<string, Pod>()).set(uid, pod));
    this.#changed(node);
  }

  remove(uid: string): void {
    const node = this.#nodeOf.get(uid);
    if (node === undefined) return;
    this.#nodeOf.delete(uid);
    const here = this.#byNode.get(node);
    here?.delete(uid);
    if (here?.size === 0) this.#byNode.delete(node);
    this.#changed(node);
  }
}
