import type { Node } from "@skiff/api";

/** What is known of an image in the cluster: how many nodes have it, and its size in bytes. */
export interface ImageState {
  readonly sizeBytes: number;
  readonly nodes: ReadonlySet<string>;
}

/** On how many nodes each image is, by each of its names. */
export class ImageIndex {
  readonly #images = new Map<string, { sizeBytes: number; readonly nodes: Set<string> }>();

  get(name: string): ImageState | undefined {
    return this.#images.get(name);
  }

  /** A node came (no `old`), changed, or went (no `node`). */
  replace(old: Node | undefined, node: Node | undefined): void {
    if (old?.status?.images === node?.status?.images) return;
    for (const { names = [] } of old?.status?.images ?? []) for (const name of names) this.#remove(name, old);
    for (const { names = [], sizeBytes = 0 } of node?.status?.images ?? []) {
      for (const name of names) {
        const known = this.#images.get(name) ?? { sizeBytes, nodes: new Set<string>() };
        known.sizeBytes = sizeBytes;
        if (node !== undefined) known.nodes.add(node.metadata.name);
        this.#images.set(name, known);
      }
    }
  }

  #remove(name: string, node: Node | undefined): void {
    const known = this.#images.get(name);
    if (known === undefined || node === undefined) return;
    known.nodes.delete(node.metadata.name);
    if (known.nodes.size === 0) this.#images.delete(name);
  }
}
