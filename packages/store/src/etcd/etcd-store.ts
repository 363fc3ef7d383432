import { type Clock, type Random, randomInt } from "@skiff/base";
import { checkTransaction } from "../check-transaction.ts";
import { checkKey, checkRange, checkRevision } from "../keys.ts";
import {
  type CommitResult,
  CompactedError,
  FutureRevisionError,
  InvalidRequestError,
  type KeyValue,
  type Lease,
  type LeaseId,
  LeaseNotFoundError,
  type Range,
  type RangeOptions,
  type RangeResult,
  type Store,
  StoreClosedError,
  type StoreWatch,
  type Transaction,
  type WatchOptions,
} from "../store.ts";
import { EtcdClient, type EtcdClientOptions } from "./etcd-client.ts";
import { EtcdError, isCompacted, storeErrorOf } from "./etcd-errors.ts";
import { EtcdWatch } from "./etcd-watch.ts";
import { FreshReads } from "./fresh-reads.ts";
import { KeySpace } from "./key-space.ts";
import { Etcd, type RangeResponse, type RequestOp } from "./messages.ts";

/** Large ranges are read in parts of so many entries. */
const pageEntries = 1_000;
/** A commit's answer waits so long for this store's watches, at most: longer means that their connection is broken. */
const watchesMs = 5_000;
/** Lease IDs are chosen here, below what a JavaScript number holds exactly. */
const leaseIds = 2 ** 47;
const modRevisionTarget = 2;
const compactionAnswerMs = 5_000;

export interface EtcdStoreOptions extends EtcdClientOptions {
  /** Stands before every key: `/registry/pods/…` becomes `PREFIX/registry/pods/…`. Empty for none. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** See `openEtcdStore`. */
export async function connectEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const client = new EtcdClient(options);
  try {
    const { header } = await client.call(Etcd.range, { key: Buffer.of(0), countOnly: true }, { repeatable: true });
    const store = new EtcdStore(client, options, header?.revision ?? 1);
    await store.findCompactedRevision();
    return store;
  } catch (error) {
    client[Symbol.dispose]();
    throw storeErrorOf(error);
  }
}

/**
 * A store that etcd keeps, for several servers at a time. What the interface promises of order and etcd does not is made up
 * for here: a commit is answered when this store's own watches have had it, and `sync` lets them catch up with everybody's.
 */
export class EtcdStore implements Store {
  readonly isShared = true;
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #watches = new Set<EtcdWatch>();
  readonly #working = new Set<Promise<unknown>>();
  readonly #fresh: FreshReads;
  #revision: number;
  #compactedRevision = 1;
  #closing: Promise<void> | undefined;

  constructor(client: EtcdClient, options: EtcdStoreOptions, revision: number) {
    this.#client = client;
    this.#keys = new KeySpace(options.prefix);
    this.#clock = options.clock;
    this.#random = options.random;
    this.#revision = revision;
    this.#fresh = new FreshReads({
      clock: options.clock,
      watches: this.#watches,
      newest: () => this.#newestRevision(),
    });
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  get(key: string): Promise<KeyValue | undefined> {
    return this.#run(async () => {
      checkKey(key);
      const { header, kvs } = await this.#range({ key: this.#keys.key(key) });
      this.#heard(header?.revision);
      return kvs[0] && this.#keys.entry(kvs[0]);
    });
  }

  range(range: Range, options: RangeOptions = {}): Promise<RangeResult> {
    return this.#run(async () => {
      checkRange(range);
      if (options.revision !== undefined) checkRevision(options.revision);
      return await this.#readRange(range, options);
    });
  }

  commit(transaction: Transaction): Promise<CommitResult> {
    return this.#run(async () => {
      checkTransaction(transaction);
      const { compare, operations } = transaction;
      const response = await this.#client.call(
        Etcd.txn,
        {
          compare: compare.map(({ key, modRevision }) => {
            return { target: modRevisionTarget, key: this.#keys.key(key), modRevision };
          }),
          success: operations.map((operation): Partial<RequestOp> => {
            const key = this.#keys.key(operation.key);
            if (operation.kind === "delete") return { deleteRange: { key } };
            return { put: { key, value: operation.value, lease: operation.lease ?? 0 } };
          }),
          failure: compare.map(({ key }) => ({ range: { key: this.#keys.key(key) } })),
        },
        { repeatable: false },
      );
      const revision = response.header?.revision ?? this.#revision;
      this.#heard(revision);
      if (!response.succeeded) {
        const current = compare.flatMap(({ modRevision }, index) => {
          const found = response.responses[index]?.range?.kvs[0];
          return found === undefined || found.modRevision === modRevision ? [] : [this.#keys.entry(found)];
        });
        await this.#followedBy(
          revision,
          compare.map(({ key }) => key),
        );
        return { kind: "conflict", revision, current };
      }
      const wrote = operations.some(
        ({ kind }, index) => kind === "put" || (response.responses[index]?.deleteRange?.deleted ?? 0) > 0,
      );
      if (wrote)
        await this.#followed(
          revision,
          operations.map(({ key }) => key),
        );
      return { kind: "committed", revision };
    });
  }

  watch(options: WatchOptions): StoreWatch {
    this.#requireOpen();
    checkRange(options.range);
    checkRevision(options.fromRevision);
    if (options.fromRevision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
    const watch = new EtcdWatch(
      options,
      {
        client: this.#client,
        keys: this.#keys,
        clock: this.#clock,
        onRevision: (revision) => this.#heard(revision),
        onDone: (done) => this.#watches.delete(done),
      },
      this.#revision,
    );
    this.#watches.add(watch);
    return watch;
  }

  sync(): Promise<void> {
    return this.#run(() => this.#fresh.sync());
  }

  compact(revision: number): Promise<void> {
    return this.#run(async () => {
      checkRevision(revision);
      if (revision > this.#revision) await this.#newestRevision();
      if (revision > this.#revision) throw new FutureRevisionError(`revision ${revision} does not exist yet`);
      if (revision <= this.#compactedRevision) return;
      // etcd forgets the deletions of the very revision that it compacts to, which a watch from there must still hear of.
      if (revision > 1)
        await this.#client.call(Etcd.compact, { revision: revision - 1 }, { repeatable: true }).catch(ignoreCompacted);
      this.#compactedRevision = Math.max(this.#compactedRevision, revision);
    });
  }

  grantLease(ttlMs: number): Promise<Lease> {
    return this.#run(async () => {
      if (!Number.isFinite(ttlMs) || ttlMs <= 0) throw new InvalidRequestError(`a lease cannot live for ${ttlMs} ms`);
      const request = { ttl: Math.ceil(ttlMs / 1000), id: 1 + randomInt(this.#random, leaseIds) };
      const { id, ttl } = await this.#client.call(Etcd.leaseGrant, request, { repeatable: false });
      return { id, ttlMs: ttl * 1000 };
    });
  }

  keepLeaseAlive(id: LeaseId): Promise<void> {
    return this.#run(async () => {
      const { ttl } = await this.#client.call(Etcd.leaseKeepAlive, { id }, { repeatable: true });
      if (ttl === 0) throw new LeaseNotFoundError(`lease ${id} not found`);
    });
  }

  revokeLease(id: LeaseId): Promise<void> {
    return this.#run(async () => {
      const { header } = await this.#client.call(Etcd.leaseRevoke, { id }, { repeatable: false });
      this.#heard(header?.revision);
    });
  }

  /** Lets calls finish, ends watches with `StoreClosedError`, then closes the connections. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Asks from where on history is left: only reading it tells whether, only watching it from where on. */
  async findCompactedRevision(): Promise<void> {
    try {
      await this.#client.call(Etcd.range, { ...this.#aKey, revision: 1, countOnly: true }, { repeatable: true });
      return;
    } catch (error) {
      if (!isCompacted(error)) throw error;
    }
    const { stream } = this.#client.open(Etcd.watch, AbortSignal.timeout(compactionAnswerMs));
    try {
      await stream.send({ create: { ...this.#aKey, startRevision: 1 } });
      for (let compacted = 0; compacted === 0; ) {
        const { compactRevision } = await stream.receive();
        compacted = compactRevision;
        if (compacted > 0) this.#compactedRevision = Math.max(this.#compactedRevision, compacted + 1);
      }
    } finally {
      stream[Symbol.dispose]();
    }
  }

  /** Some key that does not exist. */
  get #aKey(): { readonly key: Buffer } {
    return { key: this.#keys.key("\0") };
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#working]);
    for (const watch of [...this.#watches]) watch.end(new StoreClosedError("the store is closed"));
    this.#client[Symbol.dispose]();
  }

  async #readRange(range: Range, { revision, limit = 0, countOnly = false }: RangeOptions): Promise<RangeResult> {
    if (revision !== undefined && revision < this.#compactedRevision) throw new CompactedError(this.#compactedRevision);
    const bounds = this.#keys.range(range);
    if (bounds === undefined && revision === undefined)
      return { revision: await this.#newestRevision(), entries: [], count: 0 };
    const entries: KeyValue[] = [];
    const wanted = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    let { key, rangeEnd } = bounds ?? { ...this.#aKey, rangeEnd: Buffer.alloc(0) };
    let first: RangeResponse | undefined;
    for (;;) {
      const page = Math.min(pageEntries, wanted - entries.length);
      const at = revision ?? first?.header?.revision ?? 0;
      const response = await this.#range({ key, rangeEnd, revision: at, limit: countOnly ? 0 : page, countOnly });
      first ??= response;
      for (const kv of response.kvs) entries.push(this.#keys.entry(kv));
      const last = response.kvs.at(-1);
      if (!response.more || last === undefined || entries.length >= wanted) break;
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
    this.#heard(first.header?.revision);
    return {
      revision: first.header?.revision ?? this.#revision,
      entries,
      count: bounds === undefined ? 0 : first.count,
    };
  }

  async #range(request: Parameters<typeof Etcd.range.request.encode>[0]): Promise<RangeResponse> {
    try {
      return await this.#client.call(Etcd.range, request, { repeatable: true });
    } catch (error) {
      if (!isCompacted(error)) throw error;
      await this.findCompactedRevision();
      throw new CompactedError(this.#compactedRevision);
    }
  }

  async #newestRevision(): Promise<number> {
    const { header } = await this.#range({ ...this.#aKey, countOnly: true });
    this.#heard(header?.revision);
    return header?.revision ?? this.#revision;
  }

  #heard(revision: number | undefined): void {
    if (revision !== undefined && revision > this.#revision) this.#revision = revision;
  }

  /** Waits until the watches that have to do with these keys have had a transaction. */
  async #followed(revision: number, keys: readonly string[]): Promise<void> {
    const waits: Promise<void>[] = [];
    for (const watch of this.#watches) {
      if (!keys.some((key) => watch.wants(key))) watch.passed(revision);
      else {
        const reached = watch.reached(revision);
        if (reached !== undefined) waits.push(reached);
      }
    }
    if (waits.length > 0) await this.#inTime(Promise.all(waits));
  }

  /** Waits until the watches that have to do with these keys have had everything up to a revision, whosoever made it. */
  async #followedBy(revision: number, keys: readonly string[]): Promise<void> {
    const watches = [...this.#watches].filter((watch) => keys.some((key) => watch.wants(key)));
    await this.#inTime(this.#fresh.reach(watches, revision));
  }

  async #inTime(waits: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#clock.after(watchesMs, resolve);
    await Promise.race([waits, promise]);
  }

  #run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(new StoreClosedError("the store is closed"));
    const running = call().catch((error: unknown) => {
      throw storeErrorOf(error);
    });
    this.#working.add(running);
    const done = () => this.#working.delete(running);
    running.then(done, done);
    return running;
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError("the store is closed");
  }
}

/** Somebody else has compacted further already. */
function ignoreCompacted(error: unknown): void {
  if (!(error instanceof EtcdError) || !isCompacted(error)) throw error;
}
