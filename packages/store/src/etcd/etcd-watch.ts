import { backoffDelayMs, type Clock } from "@skiff/base";
import type { Duplex } from "@skiff/grpc";
import { inRange } from "../keys.ts";
import { CompactedError, type StoreError, type StoreEvent, type StoreWatch, type WatchOptions } from "../store.ts";
import { type EtcdClient, etcdBackoff } from "./etcd-client.ts";
import type { KeySpace } from "./key-space.ts";
import { Etcd, type EtcdEvent, type WatchResponse } from "./messages.ts";

type WatchStream = Duplex<Parameters<typeof Etcd.watch.request.encode>[0], WatchResponse>;

/** The answer to a question for progress names no watch. */
const answerId = -1;

/** What a watch needs of the store it belongs to. */
export interface WatchHome {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly clock: Clock;
  /** A revision was heard of. */
  readonly onRevision: (revision: number) => void;
  readonly onDone: (watch: EtcdWatch) => void;
}

/**
 * One watch on a stream of its own. When the stream breaks, the next one, be it of another member, goes on at the revision
 * where this one ended: nothing is lost or told twice.
 */
export class EtcdWatch implements StoreWatch {
  readonly #home: WatchHome;
  readonly #options: WatchOptions;
  readonly #wants: (key: string) => boolean;
  readonly #stopped = new AbortController();
  readonly #waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>();
  #nextRevision: number;
  #delivered: number;
  /** How far etcd's latest answer to a question said that this watch is. */
  #said = 0;
  #stream: WatchStream | undefined;
  /** Events of an answer that comes in fragments. */
  #gathered: EtcdEvent[] = [];

  constructor(options: WatchOptions, home: WatchHome, revision: number) {
    this.#home = home;
    this.#options = options;
    this.#wants = inRange(options.range);
    this.#nextRevision = options.fromRevision;
    // A watch of the future has missed nothing of what there is now.
    this.#delivered = Math.min(options.fromRevision - 1, revision);
    void this.#run();
  }

  get deliveredRevision(): number {
    return this.#delivered;
  }

  wants(key: string): boolean {
    return this.#wants(key);
  }

  /** Resolves when everything up to a revision has been delivered, or the watch is over. */
  reached(revision: number): Promise<void> | undefined {
    if (this.#delivered >= revision || this.#nextRevision > revision || this.#stopped.signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ revision, resolve });
    return promise;
  }

  /** Asks etcd to say how far this watch has come, though nothing in its range may happen. */
  askForProgress(): void {
    this.#stream?.send({ progress: {} }).catch(() => {});
  }

  /** A transaction that touched nothing in the range followed what is delivered. */
  passed(revision: number): void {
    if (this.#delivered === revision - 1) this.#claim(revision);
  }

  end(error: StoreError): void {
    if (this.#stopped.signal.aborted) return;
    this[Symbol.dispose]();
    this.#call(() => this.#options.onEnd(error));
  }

  [Symbol.dispose](): void {
    this.#stopped.abort();
    this.#home.onDone(this);
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async #run(): Promise<void> {
    const { client, clock } = this.#home;
    const { signal } = this.#stopped;
    const range = this.#home.keys.range(this.#options.range);
    // Nothing will ever happen in it.
    if (range === undefined) return;
    for (let failures = 0; !signal.aborted; ) {
      const { stream, member } = client.open(Etcd.watch, signal);
      try {
        this.#stream = stream;
        this.#gathered = [];
        this.#said = 0;
        await stream.send({
          create: { ...range, startRevision: this.#nextRevision, prevKv: true, progressNotify: true, fragment: true },
        });
        for (;;) {
          const response = await stream.receive();
          if (this.#take(response)) return;
          failures = 0;
        }
      } catch {
        if (signal.aborted) return;
        failures++;
        client.leave(member);
      } finally {
        this.#stream = undefined;
        stream[Symbol.dispose]();
      }
      await clock.sleep(backoffDelayMs(etcdBackoff, failures), signal).catch(() => {});
    }
  }

  /** True when the watch is over. Throws where it should be begun anew. */
  #take(response: WatchResponse): boolean {
    if (response.compactRevision > 0) {
      this.end(new CompactedError(response.compactRevision + 1));
      return true;
    }
    if (response.canceled) throw new Error(response.cancelReason);
    if (this.#stopped.signal.aborted) return true;
    const revision = response.header?.revision ?? 0;
    this.#home.onRevision(revision);
    for (const event of response.events) this.#gathered.push(event);
    if (response.fragment) return false;
    if (response.created) {
      // What begins behind the present has missed nothing.
      if (this.#nextRevision > revision) this.#claim(revision);
      return false;
    }
    if (this.#gathered.length > 0) this.#deliver(this.#gathered.splice(0));
    else if (response.watchId === answerId) this.#answered(revision);
    else {
      this.#nextRevision = Math.max(this.#nextRevision, revision + 1);
      this.#claim(revision);
    }
    return this.#stopped.signal.aborted;
  }

  #deliver(events: readonly EtcdEvent[]): void {
    for (const [revision, group] of Map.groupBy(events, ({ kv }) => kv?.modRevision ?? 0)) {
      if (this.#stopped.signal.aborted) return;
      if (revision < this.#nextRevision) continue;
      this.#home.onRevision(revision);
      const made = group.map((event) => storeEvent(event, this.#home.keys));
      if (!made.every((event) => event !== undefined)) {
        // Compaction has taken the states before them: whoever watches must begin anew.
        this.end(new CompactedError(revision + 1));
        return;
      }
      this.#nextRevision = revision + 1;
      this.#call(() => this.#options.onBatch({ revision, events: made }));
      this.#claim(revision);
    }
  }

  /**
   * Answers may overtake events in etcd before 3.4.25 and 3.5.8: what one says is taken for true when the next one comes, and
   * never as the place to go on from.
   */
  #answered(revision: number): void {
    this.#claim(this.#said);
    this.#said = revision;
  }

  #claim(revision: number): void {
    if (revision <= this.#delivered) return;
    this.#delivered = revision;
    for (const waiting of this.#waiting) {
      if (waiting.revision > revision) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  /** A callback that throws is a bug of its owner: the process must hear of it, but the watch must not suffer first. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Nothing where etcd no longer has the state before. */
function storeEvent({ type, kv, prevKv }: EtcdEvent, keys: KeySpace): StoreEvent | undefined {
  if (kv === undefined) return undefined;
  const previous = prevKv === undefined ? undefined : keys.entry(prevKv);
  if (type === 0) {
    if (previous === undefined && kv.createRevision < kv.modRevision) return undefined;
    return { kind: "put", current: keys.entry(kv), previous };
  }
  return previous && { kind: "delete", key: keys.text(kv.key), modRevision: kv.modRevision, previous };
}
