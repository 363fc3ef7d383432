import type { Pod } from "@skiff/api";

/** Pods that must not be tried yet, and which plugin says so. */
export class GatedPods {
  readonly #gated = new Map<string, { readonly pod: Pod; readonly plugin: string }>();

  hold(pod: Pod, plugin: string): void {
    this.#gated.set(pod.metadata.uid, { pod, plugin });
  }

  release(uid: string): void {
    this.#gated.delete(uid);
  }

  /** Those that one of the plugins keeps from being tried. */
  heldBy(plugins: () => readonly string[]): readonly Pod[] {
    if (this.#gated.size === 0) return [];
    const names = plugins();
    return [...this.#gated.values()].flatMap(({ pod, plugin }) => (names.includes(plugin) ? [pod] : []));
  }
}
