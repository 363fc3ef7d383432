import type { KubeObject, ResourceDefinition } from "@skiff/api";

/** An object with the resource that it is of. */
export interface Entry {
  readonly resource: ResourceDefinition;
  readonly object: KubeObject;
}

/** Who owns whom, over all resources, by uid. */
export class OwnerGraph {
  readonly #entries = new Map<string, Entry>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Entry | undefined {
    return this.#entries.get(uid);
  }

  /** Objects that name `uid` as an owner, whether it exists or not. */
  dependentsOf(uid: string): readonly Entry[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#entries.get(dependent) ?? []);
  }

  put(entry: Entry): void {
    const { uid } = entry.object.metadata;
    const before = this.#entries.get(uid);
    this.#entries.set(uid, entry);
    if (before !== undefined && hasSameOwners(before, entry)) return;
    if (before !== undefined) this.#unlink(before);
    for (const { uid: owner } of entry.object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner) ?? new Set<string>();
      this.#dependents.set(owner, dependents.add(uid));
    }
  }

  remove(uid: string): Entry | undefined {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return undefined;
    this.#entries.delete(uid);
    this.#unlink(entry);
    return entry;
  }

  #unlink({ object }: Entry): void {
    for (const { uid: owner } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(object.metadata.uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }
}

function hasSameOwners({ object: a }: Entry, { object: b }: Entry): boolean {
  const { ownerReferences: before = [] } = a.metadata;
  const { ownerReferences: now = [] } = b.metadata;
  return before.length === now.length && before.every(({ uid }, at) => uid === now[at]?.uid);
}
