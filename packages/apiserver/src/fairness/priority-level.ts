import type { PriorityLevelConfiguration } from "@skiff/api";
import { type Clock, microTimestamp } from "@skiff/base";
import { FairQueues, type QueueView, type Started } from "./fair-queues.ts";

/** The seats of all levels: what one does not need, others may borrow. */
export interface SeatPool {
  /** Seats that levels lend at this moment and nobody has borrowed yet. */
  free(): number;
}

/** How a level's share of the server came out, in seats. */
export interface Shares {
  readonly nominal: number;
  /** How many of them others may have while they are not needed here. */
  readonly lendable: number;
  /** How many seats of others this level may have. */
  readonly borrowable: number;
}

/** How a request fared at its level. */
export type Admission =
  | { readonly kind: "started"; readonly finish: () => void }
  | { readonly kind: "waiting"; readonly started: Promise<() => void>; readonly giveUp: () => void }
  | { readonly kind: "refused"; readonly reason: "queue-full" | "concurrency-limit" };

const nothing = () => {};
const noShares: Shares = { nominal: 0, lendable: 0, borrowable: 0 };

/** One priority level: how many of its requests may go on at once, and in what order the others follow. */
export class PriorityLevel {
  readonly #clock: Clock;
  readonly #pool: SeatPool;
  #config: PriorityLevelConfiguration;
  #queues: FairQueues | undefined;
  #shares = noShares;
  #inUse = 0;
  #executing = 0;
  /** What `start` of the request that is being let go shall finish. */
  #running: Started | undefined;

  constructor(config: PriorityLevelConfiguration, clock: Clock, pool: SeatPool) {
    this.#clock = clock;
    this.#pool = pool;
    this.#config = config;
    this.configure(config);
  }

  get config(): PriorityLevelConfiguration {
    return this.#config;
  }

  get name(): string {
    return this.#config.metadata.name;
  }

  get isExempt(): boolean {
    return this.#config.spec.type === "Exempt";
  }

  get shares(): Shares {
    return this.#shares;
  }

  get seatsInUse(): number {
    return this.#inUse;
  }

  get executing(): number {
    return this.#executing;
  }

  get waiting(): number {
    return this.#queues?.waiting ?? 0;
  }

  get queues(): readonly QueueView[] | undefined {
    return this.isExempt ? undefined : (this.#queues?.views() ?? []);
  }

  /** Seats of others that are in use here. */
  get borrowed(): number {
    return Math.max(0, this.#inUse - this.#shares.nominal);
  }

  /** Seats of this level that others may have now. */
  get lent(): number {
    const { nominal, lendable } = this.#shares;
    return this.isExempt ? lendable : Math.max(0, Math.min(lendable, nominal - this.#inUse));
  }

  /** Takes over a changed configuration. Those who wait go on waiting, in queues of the new form. */
  configure(config: PriorityLevelConfiguration): void {
    const before = this.#config.spec.limited?.limitResponse;
    const now = config.spec.limited?.limitResponse;
    this.#config = config;
    if (this.#queues !== undefined && JSON.stringify(before) === JSON.stringify(now)) return;
    const old = this.#queues;
    const queuing = now?.type === "Queue" ? now.queuing : undefined;
    this.#queues =
      queuing &&
      new FairQueues(this.#clock, {
        queues: queuing.queues ?? 64,
        handSize: queuing.handSize ?? 8,
        lengthLimit: queuing.queueLengthLimit ?? 50,
      });
    for (let next = old?.take(); next !== undefined; next = old?.take()) {
      // Where there is no place for it in the new form it need not wait any more.
      if (this.#queues?.enqueue(next.request) === undefined) next.request.start();
    }
  }

  share(shares: Shares): void {
    this.#shares = shares;
    this.dispatch();
  }

  /** A request arrives. */
  admit(flow: string, seats: number): Admission {
    if (this.isExempt) return this.#startAtOnce(seats);
    if (this.waiting === 0 && this.#fits(seats)) return this.#startAtOnce(seats);
    const queues = this.#queues;
    if (queues === undefined) return { kind: "refused", reason: "concurrency-limit" };
    const { promise, resolve } = Promise.withResolvers<() => void>();
    const arrivedAt = microTimestamp(this.#clock.now());
    const leave = queues.enqueue({
      flow,
      seats,
      arrivedAt,
      start: () => resolve(this.#begin(seats)),
    });
    if (leave === undefined) return { kind: "refused", reason: "queue-full" };
    return { kind: "waiting", started: promise, giveUp: leave };
  }

  /** Lets as many go as there is room for. */
  dispatch(): void {
    const queues = this.#queues;
    if (queues === undefined) return;
    for (let seats = queues.nextSeats; seats !== undefined && this.#fits(seats); seats = queues.nextSeats) {
      const next = queues.take();
      if (next === undefined) return;
      this.#running = next.started;
      next.request.start();
    }
  }

  #fits(seats: number): boolean {
    const { nominal, borrowable } = this.#shares;
    // However wide a request is: where nothing else goes on it may.
    const over = this.#inUse === 0 ? 0 : this.#inUse + seats - nominal;
    return over <= 0 || (over <= borrowable && over - this.borrowed <= this.#pool.free());
  }

  #startAtOnce(seats: number): Admission {
    return { kind: "started", finish: this.#begin(seats) };
  }

  #begin(seats: number): () => void {
    this.#inUse += seats;
    this.#executing++;
    const running = this.#running;
    this.#running = undefined;
    let finish = () => {
      finish = nothing;
      this.#inUse -= seats;
      this.#executing--;
      running?.finish();
      if (this.waiting > 0) this.dispatch();
    };
    return () => finish();
  }
}
