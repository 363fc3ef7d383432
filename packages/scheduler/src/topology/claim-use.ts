import type { Pod } from "@skiff/api";

/** How many placed pods name each claim, kept up to date with every pod. */
export class ClaimUse {
  readonly #pods = new Map<string, number>();

  /** How many placed pods name the claim. */
  count(name: string, namespace: string | undefined): number {
    return this.#pods.get(`${namespace ?? ""}/${name}`) ?? 0;
  }

  /** A pod has come to a node (1), or gone from it (-1). */
  add({ metadata, spec }: Pod, delta: 1 | -1): void {
    if (spec.volumes === undefined) return;
    for (const name of claimsNamed(spec.volumes)) {
      const key = `${metadata.namespace ?? ""}/${name}`;
      const count = (this.#pods.get(key) ?? 0) + delta;
      if (count === 0) this.#pods.delete(key);
      else this.#pods.set(key, count);
    }
  }
}

/** The claims that volumes name, each once. */
export const claimsNamed = (volumes: Pod["spec"]["volumes"]): ReadonlySet<string> =>
  new Set((volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []));
