import type { CommitResult, KeyValue, LeaseId, Operation, StoreEvent, StoreEventBatch, Transaction } from "../store.ts";
import { FutureRevisionError, LeaseNotFoundError } from "../store.ts";
import type { WriteGroup } from "./storage.ts";

/** What planning needs to know of the durable state. */
export interface Ground {
  readonly revision: number;
  readonly compactedRevision: number;
  get(key: string): KeyValue | undefined;
  /** As `Storage.peek`. */
  peek(key: string): KeyValue | undefined;
  hasLease(id: LeaseId): boolean;
  /** The keys attached to a lease. */
  leaseKeys(id: LeaseId): Iterable<string>;
}

/**
 * Decides a group of calls one after the other, each against the durable state and what the calls before it in the same
 * group have done, and gathers what must be written. Pure: nothing happens until the group is written.
 */
export class GroupPlan {
  readonly #ground: Ground;
  readonly #pending = new Map<string, KeyValue | undefined>();
  readonly #batches: StoreEventBatch[] = [];
  readonly #granted = new Map<LeaseId, number>();
  readonly #ended = new Set<LeaseId>();
  #compactedRevision: number | undefined;
  #revision: number;
  #bytes = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#revision = ground.revision;
  }

  /** The sum of the values' sizes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many changes the group holds so far; 0 means that nothing needs writing. */
  get changes(): number {
    const compactions = this.#compactedRevision === undefined ? 0 : 1;
    return this.#batches.length + this.#granted.size + this.#ended.size + compactions;
  }

  get group(): WriteGroup {
    return {
      batches: this.#batches,
      grantedLeases: [...this.#granted].map(([id, ttlMs]) => ({ id, ttlMs })),
      endedLeases: [...this.#ended],
      compactedRevision: this.#compactedRevision,
    };
  }

  /** Throws `LeaseNotFoundError` when a put names a lease that does not exist. */
  commit({ compare, operations }: Transaction): CommitResult {
    let current: KeyValue[] | undefined;
    for (const { key, modRevision } of compare) {
      if ((this.#peek(key)?.modRevision ?? 0) === modRevision) continue;
      current ??= [];
      // Its value is for the caller, who may take his time.
      const entry = this.#pending.has(key) ? this.#pending.get(key) : this.#ground.get(key);
      if (entry !== undefined) current.push(entry);
    }
    if (current !== undefined) return { kind: "conflict", revision: this.#revision, current };
    for (const operation of operations) {
      if (operation.kind === "put" && operation.lease !== undefined) this.#requireLease(operation.lease);
    }
    this.#apply(operations);
    return { kind: "committed", revision: this.#revision };
  }

  grant(id: LeaseId, ttlMs: number): void {
    this.#granted.set(id, ttlMs);
  }

  /** Ends the lease and deletes its keys. Throws `LeaseNotFoundError`. */
  revoke(id: LeaseId): void {
    this.#requireLease(id);
    const candidates = new Set(this.#ground.leaseKeys(id));
    for (const key of this.#pending.keys()) candidates.add(key);
    const operations: Operation[] = [];
    for (const key of candidates) if (this.#peek(key)?.lease === id) operations.push({ kind: "delete", key });
    this.#apply(operations);
    this.#ended.add(id);
  }

  /** Throws `FutureRevisionError` for a revision that does not exist yet. */
  compact(revision: number): void {
    if (revision > this.#revision) throw new FutureRevisionError(`revision ${revision} does not exist yet`);
    if (revision > (this.#compactedRevision ?? this.#ground.compactedRevision)) this.#compactedRevision = revision;
  }

  #apply(operations: readonly Operation[]): void {
    const revision = this.#revision + 1;
    const events: StoreEvent[] = [];
    for (const operation of operations) {
      const event = nextEvent(operation, this.#peek(operation.key), revision);
      if (event !== undefined) events.push(event);
    }
    if (events.length === 0) return;
    for (const event of events) {
      if (event.kind === "put") {
        this.#pending.set(event.current.key, event.current);
        this.#bytes += event.current.value.length;
      } else this.#pending.set(event.key, undefined);
    }
    this.#revision = revision;
    this.#batches.push({ revision, events });
  }

  #peek(key: string): KeyValue | undefined {
    const pending = this.#pending.get(key);
    return pending !== undefined || this.#pending.has(key) ? pending : this.#ground.peek(key);
  }

  #requireLease(id: LeaseId): void {
    const exists = this.#granted.has(id) || this.#ground.hasLease(id);
    if (!exists || this.#ended.has(id)) throw new LeaseNotFoundError(`lease ${id} not found`);
  }
}

/** What an operation does to a key's state; nothing where an absent key is deleted. */
function nextEvent(operation: Operation, previous: KeyValue | undefined, revision: number): StoreEvent | undefined {
  if (operation.kind === "delete") {
    return previous && { kind: "delete", key: operation.key, modRevision: revision, previous };
  }
  const current: KeyValue = {
    key: operation.key,
    value: operation.value,
    createRevision: previous?.createRevision ?? revision,
    modRevision: revision,
    version: (previous?.version ?? 0) + 1,
    lease: operation.lease,
  };
  return { kind: "put", current, previous };
}
