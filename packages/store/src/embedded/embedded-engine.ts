import { type Clock, describeError, type Logger } from "@skiff/base";
import { checkTransaction } from "../check-transaction.ts";
import { checkKey, checkRange, checkRevision } from "../keys.ts";
import {
  type CommitResult,
  type EmbeddedStore,
  InvalidRequestError,
  type KeyValue,
  type Lease,
  type LeaseId,
  LeaseNotFoundError,
  type Range,
  type RangeOptions,
  type RangeResult,
  ReadOnlyError,
  StoreClosedError,
  type StoreWatch,
  type Transaction,
  type WatchOptions,
} from "../store.ts";
import { GroupWriter } from "./group-writer.ts";
import { LeaseTable } from "./lease-table.ts";
import { LeaseTimers } from "./lease-timers.ts";
import { rangeAt, rangeNow } from "./range-at.ts";
import type { Storage, WriteGroup } from "./storage.ts";
import { WatchHub } from "./watch-hub.ts";

/** An expired lease that could not be ended (the disk is full) is tried again after so long. */
const leaseRetryMs = 5_000;

/**
 * A whole store on top of a `Storage`: what the engines of this process have in common. Calls that write go through the
 * `GroupWriter`; whenever a group has become durable, leases and watches follow it, and only then its callers are answered.
 */
export class EmbeddedEngine implements EmbeddedStore {
  readonly isShared = false;
  readonly #storage: Storage;
  readonly #logger: Logger;
  readonly #writer: GroupWriter;
  readonly #hub: WatchHub;
  readonly #leases: LeaseTable;
  readonly #timers: LeaseTimers;
  #lastLeaseId: LeaseId;
  #closing: Promise<void> | undefined;

  constructor(storage: Storage, options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#storage = storage;
    this.#logger = options.logger;
    this.#hub = new WatchHub(storage);
    this.#leases = new LeaseTable(storage.leases);
    this.#lastLeaseId = storage.lastLeaseId;
    this.#timers = new LeaseTimers(options.clock, (id) => this.#expire(id));
    for (const { id, ttlMs } of storage.leases) this.#timers.start(id, ttlMs);
    this.#writer = new GroupWriter({
      storage,
      leases: this.#leases,
      logger: options.logger,
      onDurable: (group) => this.#follow(group),
    });
  }

  get revision(): number {
    return this.#storage.revision;
  }

  get compactedRevision(): number {
    return this.#storage.compactedRevision;
  }

  get(key: string): KeyValue | undefined {
    this.#requireOpen();
    checkKey(key);
    return this.#storage.get(key);
  }

  /** What is committed is in the watches already. */
  async sync(): Promise<void> {
    this.#requireOpen();
  }

  async range(range: Range, options: RangeOptions = {}): Promise<RangeResult> {
    this.#requireOpen();
    checkRange(range);
    const { revision } = options;
    if (revision === undefined) return rangeNow(this.#storage, range, options);
    checkRevision(revision);
    return await rangeAt(this.#storage, range, { ...options, revision });
  }

  /** Without `async`: this is the busiest path there is, and each further promise costs it a few per cent. */
  commit(transaction: Transaction): Promise<CommitResult> {
    try {
      this.#requireOpen();
      checkTransaction(transaction);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#writer.run((plan) => plan.commit(transaction));
  }

  watch(options: WatchOptions): StoreWatch {
    this.#requireOpen();
    checkRange(options.range);
    checkRevision(options.fromRevision);
    return this.#hub.watch(options);
  }

  async compact(revision: number): Promise<void> {
    this.#requireOpen();
    checkRevision(revision);
    await this.#writer.run((plan) => plan.compact(revision));
  }

  async grantLease(ttlMs: number): Promise<Lease> {
    this.#requireOpen();
    if (!Number.isFinite(ttlMs) || ttlMs <= 0) throw new InvalidRequestError(`a lease cannot live for ${ttlMs} ms`);
    const lease: Lease = { id: ++this.#lastLeaseId, ttlMs: Math.ceil(ttlMs) };
    await this.#writer.run((plan) => plan.grant(lease.id, lease.ttlMs));
    return lease;
  }

  async keepLeaseAlive(id: LeaseId): Promise<void> {
    this.#requireOpen();
    if (!this.#leases.has(id)) throw new LeaseNotFoundError(`lease ${id} not found`);
    this.#timers.restart(id);
  }

  async revokeLease(id: LeaseId): Promise<void> {
    this.#requireOpen();
    await this.#writer.run((plan) => plan.revoke(id));
  }

  async snapshot(folder: string): Promise<void> {
    this.#requireOpen();
    await this.#storage.snapshot(folder);
  }

  /** Lets the writes that were accepted finish, ends watches with `StoreClosedError`, then releases everything. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timers.stopAll();
    await this.#writer.finish();
    this.#timers.stopAll();
    this.#hub.end(new StoreClosedError("the store is closed"));
    await this.#storage.close();
  }

  #follow(group: WriteGroup): void {
    this.#leases.follow(group);
    for (const { id, ttlMs } of group.grantedLeases) this.#timers.start(id, ttlMs);
    for (const id of group.endedLeases) this.#timers.stop(id);
    this.#hub.publish(group.batches);
  }

  #expire(id: LeaseId): void {
    this.#writer
      .run((plan) => plan.revoke(id))
      .catch((error: unknown) => {
        if (error instanceof LeaseNotFoundError) return;
        if (!(error instanceof ReadOnlyError))
          this.#logger.error(`lease did not end: ${describeError(error)}`, { lease: id });
        this.#timers.retry(id, leaseRetryMs);
      });
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError("the store is closed");
  }
}
