import type { Clock } from "@skiff/base";
import { dealHand } from "./shuffle-sharding.ts";

/** What a request is taken to need before it is known how long it takes, in milliseconds. */
const expectedMs = 3;

/** A request that waits for its turn. */
export interface Waiting {
  readonly flow: string;
  readonly seats: number;
  /** When it came, in words. */
  readonly arrivedAt: string;
  /** It may go. Called once, unless the request gave up. */
  start(): void;
}

interface Queue {
  readonly index: number;
  readonly waiting: Waiting[];
  seatsInUse: number;
  executing: number;
  /** Seat-milliseconds that the queue has had, and is to have for what it started, from where all queues began. */
  servedUntil: number;
}

/** What a queue looks like to an administrator. */
export type QueueView = Readonly<Omit<Queue, "waiting">> & { readonly waiting: readonly Waiting[] };

/** A request of a queue that has started. Call `finish` once when it is over. */
export interface Started {
  finish(): void;
}

/**
 * Queues whose turns come in proportion to what they have had: of those that wait the one goes first that has had the fewest
 * seats for the shortest time (start-time fair queueing). A flow has a few of the queues, so that one that asks for much
 * fills its own, and those of few others.
 */
export class FairQueues {
  readonly #clock: Clock;
  readonly #lengthLimit: number;
  readonly #handSize: number;
  readonly #queues: readonly Queue[];
  readonly #hands = new Map<string, readonly number[]>();
  /** How far the queue had come that was last served: one that was idle begins there, and saves nothing up. */
  #now = 0;
  #waiting = 0;

  constructor(
    clock: Clock,
    config: { readonly queues: number; readonly handSize: number; readonly lengthLimit: number },
  ) {
    this.#clock = clock;
    this.#lengthLimit = config.lengthLimit;
    this.#handSize = config.handSize;
    this.#queues = Array.from({ length: config.queues }, (_, index) => ({
      index,
      waiting: [],
      seatsInUse: 0,
      executing: 0,
      servedUntil: 0,
    }));
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  views(): readonly QueueView[] {
    return this.#queues;
  }

  /** Lets a request wait; `undefined` where its queue is full. Call what it gives when the request gives up. */
  enqueue(request: Waiting): (() => void) | undefined {
    const queue = this.#queueFor(request.flow);
    if (queue === undefined || queue.waiting.length >= this.#lengthLimit) return undefined;
    if (queue.waiting.length === 0 && queue.executing === 0) queue.servedUntil = Math.max(queue.servedUntil, this.#now);
    queue.waiting.push(request);
    this.#waiting++;
    return () => {
      const at = queue.waiting.indexOf(request);
      if (at === -1) return;
      queue.waiting.splice(at, 1);
      this.#waiting--;
    };
  }

  /** Seats that the next in turn needs; `undefined` where nobody waits. */
  get nextSeats(): number | undefined {
    return this.#next()?.waiting[0]?.seats;
  }

  /** Takes the next in turn out of its queue. Call its `start`. */
  take(): { readonly request: Waiting; readonly started: Started } | undefined {
    const queue = this.#next();
    const request = queue?.waiting.shift();
    if (queue === undefined || request === undefined) return undefined;
    this.#waiting--;
    this.#now = queue.servedUntil;
    queue.servedUntil += request.seats * expectedMs;
    queue.seatsInUse += request.seats;
    queue.executing++;
    const begunMs = this.#clock.monotonic();
    const finish = () => {
      queue.seatsInUse -= request.seats;
      queue.executing--;
      const tookMs = this.#clock.monotonic() - begunMs;
      queue.servedUntil += request.seats * (tookMs - expectedMs);
    };
    return { request, started: { finish } };
  }

  #next(): Queue | undefined {
    let next: Queue | undefined;
    for (const queue of this.#queues) {
      if (queue.waiting.length > 0 && (next === undefined || queue.servedUntil < next.servedUntil)) next = queue;
    }
    return next;
  }

  /** The queue of the flow's hand with the least work before it. */
  #queueFor(flow: string): Queue | undefined {
    let best: Queue | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const index of this.#handOf(flow)) {
      const queue = this.#queues[index];
      if (queue === undefined) continue;
      const work = queue.waiting.reduce((sum, { seats }) => sum + seats, queue.seatsInUse);
      if (work < least) [best, least] = [queue, work];
    }
    return best;
  }

  #handOf(flow: string): readonly number[] {
    const known = this.#hands.get(flow);
    if (known !== undefined) return known;
    if (this.#hands.size >= 10_000) this.#hands.clear();
    const hand = dealHand(flow, this.#queues.length, this.#handSize);
    this.#hands.set(flow, hand);
    return hand;
  }
}
