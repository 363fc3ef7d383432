import type { LeaseId } from "../store.ts";
import type { StoredLease, WriteGroup } from "./storage.ts";

/** Which leases there are and which keys each removes at its end, as of the last durable group. */
export class LeaseTable {
  readonly #keys = new Map<LeaseId, Set<string>>();

  constructor(stored: readonly StoredLease[]) {
    for (const { id, keys } of stored) this.#keys.set(id, new Set(keys));
  }

  has(id: LeaseId): boolean {
    return this.#keys.has(id);
  }

  keysOf(id: LeaseId): Iterable<string> {
    return this.#keys.get(id) ?? [];
  }

  follow({ batches, grantedLeases, endedLeases }: WriteGroup): void {
    for (const { id } of grantedLeases) this.#keys.set(id, new Set());
    for (const { events } of batches) {
      for (const event of events) {
        const key = event.kind === "put" ? event.current.key : event.key;
        if (event.previous?.lease !== undefined) this.#keys.get(event.previous.lease)?.delete(key);
        if (event.kind === "put" && event.current.lease !== undefined) this.#keys.get(event.current.lease)?.add(key);
      }
    }
    for (const id of endedLeases) this.#keys.delete(id);
  }
}
