interface Batch<Item> {
  readonly items: Item[];
  readonly done: Promise<void>;
}

/** Works on what is asked for one namespace in batches, one after the other: what comes while one is worked on is the next. */
export class NamespaceQueue<Item> {
  readonly #work: (namespace: string, items: readonly Item[]) => Promise<void>;
  readonly #gathering = new Map<string, Batch<Item>>();
  readonly #last = new Map<string, Promise<void>>();

  constructor(work: (namespace: string, items: readonly Item[]) => Promise<void>) {
    this.#work = work;
  }

  /** Settles as the work on the item's batch does. */
  run(namespace: string, item: Item): Promise<void> {
    const gathering = this.#gathering.get(namespace);
    if (gathering !== undefined) {
      gathering.items.push(item);
      return gathering.done;
    }
    const items = [item];
    const before = this.#last.get(namespace) ?? Promise.resolve();
    const done = before.then(() => {
      this.#gathering.delete(namespace);
      return this.#work(namespace, items);
    });
    this.#gathering.set(namespace, { items, done });
    const settled = done
      .catch(() => {})
      .then(() => {
        if (this.#last.get(namespace) === settled) this.#last.delete(namespace);
      });
    this.#last.set(namespace, settled);
    return done;
  }
}
