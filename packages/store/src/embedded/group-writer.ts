import { describeError, type Logger } from "@skiff/base";
import type { LeaseTable } from "./lease-table.ts";
import { type Ground, GroupPlan } from "./plan-group.ts";
import type { Storage, WriteGroup } from "./storage.ts";

/** A group is closed when it has so many calls or bytes, so that no caller waits long for the others in it. */
const groupCalls = 1024;
const groupBytes = 8 * 1024 * 1024;
/** So many groups may be on their way to the disk at once. */
const mostFlights = 2;
/** With fewer calls it is not worth while to make two groups of them. */
const leastToSplit = 16;

/** A call that waits to be planned. Every caller waits for its answer, so there are no more of them than callers. */
interface Call {
  /** Decides the call; gives what answers its caller, or throws to leave it out of the group. */
  readonly decide: (plan: GroupPlan) => Settle;
  readonly reject: (error: unknown) => void;
}

type Settle = () => void;

/** A call that has been decided, and whether its group must be durable because of it. */
interface Decided {
  readonly call: Call;
  readonly settle: Settle;
  readonly writes: boolean;
}

/** A group on its way to the disk. */
interface Flight {
  readonly plan: GroupPlan;
  readonly decided: readonly Decided[];
}

/**
 * Group commit. While one group is on its way to the disk, the next is planned as if the first were there already, and
 * follows at once: the disk and this thread work at the same time. What arrives meanwhile makes up the group after that. Where
 * many calls find the disk idle they become two groups, so that the two keep taking turns.
 */
export class GroupWriter {
  readonly #storage: Storage;
  readonly #ground: Ground;
  readonly #logger: Logger;
  readonly #onDurable: (group: WriteGroup) => void;
  #waiting: Call[] = [];
  /** Oldest first. */
  #flights: Flight[] = [];
  /** Settles after the newest flight's group. */
  #lastWritten: Promise<void> | undefined;
  #scheduled = false;
  #tidying = false;
  #finishing = false;
  #onIdle: (() => void) | undefined;

  /** `onDurable` is called with each group that was written, before its callers are answered. */
  constructor(options: {
    readonly storage: Storage;
    readonly leases: LeaseTable;
    readonly logger: Logger;
    readonly onDurable: (group: WriteGroup) => void;
  }) {
    this.#storage = options.storage;
    this.#logger = options.logger;
    this.#onDurable = options.onDurable;
    this.#ground = this.#groundOfFlights(options.leases);
    this.#tidy();
  }

  /** Settles with what `decide` gave or threw, once its group and all before it are durable. */
  run<T>(decide: (plan: GroupPlan) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({
      decide: (plan) => {
        const result = decide(plan);
        return () => resolve(result);
      },
      reject,
    });
    this.#launchSoon();
    return promise;
  }

  /** Waits until all calls made so far are settled. */
  async finish(): Promise<void> {
    this.#finishing = true;
    while (!this.#isIdle) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      await promise;
    }
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#flights.length === 0 && !this.#tidying;
  }

  /** The durable state with what is on its way. */
  #groundOfFlights(leases: LeaseTable): Ground {
    const newestFirst = () => this.#flights.toReversed().map(({ plan }) => plan);
    const storage = this.#storage;
    const flights = () => this.#flights;
    return {
      get revision() {
        return flights().at(-1)?.plan.revision ?? storage.revision;
      },
      get compactedRevision() {
        const compacted = newestFirst().find((plan) => plan.compactedRevision !== undefined);
        return compacted?.compactedRevision ?? storage.compactedRevision;
      },
      get: (key) => {
        for (let index = this.#flights.length - 1; index >= 0; index--) {
          const changed = this.#flights[index]?.plan.changed(key);
          if (changed !== undefined) return changed.entry;
        }
        return storage.get(key);
      },
      hasLease: (id) => {
        for (const plan of newestFirst()) {
          const changed = plan.leaseChanged(id);
          if (changed !== undefined) return changed;
        }
        return leases.has(id);
      },
      leaseKeys: (id) => new Set([...leases.keysOf(id), ...newestFirst().flatMap((plan) => [...plan.changedKeys()])]),
    };
  }

  #launchSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Goes on when this turn's promise continuations are done: what they commit belongs to the same group.
    process.nextTick(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#flights.length < mostFlights) this.#launch();
      this.#tellIdle();
    });
  }

  #tellIdle(): void {
    if (!this.#isIdle) return;
    this.#onIdle?.();
    this.#onIdle = undefined;
  }

  #launch(): void {
    const plan = new GroupPlan(this.#ground);
    const isFirst = this.#flights.length === 0;
    const { length } = this.#waiting;
    const most = isFirst && this.#lastWritten !== undefined && length >= leastToSplit ? Math.ceil(length / 2) : length;
    const flight: Flight = { plan, decided: this.#decide(plan, most) };
    // Without a promise it is done: the memory engine's commits then take no turn of the event loop.
    const written = plan.changes > 0 ? this.#storage.write(plan.group) : isFirst ? undefined : this.#lastWritten;
    if (written === undefined) {
      this.#landed(flight);
      return;
    }
    this.#lastWritten = written;
    this.#flights.push(flight);
    written.then(
      () => {
        this.#takeOff(flight);
        this.#landed(flight);
      },
      (error: unknown) => {
        this.#takeOff(flight);
        this.#fail(flight, error);
      },
    );
  }

  #takeOff(flight: Flight): void {
    this.#flights = this.#flights.filter((one) => one !== flight);
  }

  #landed({ plan, decided }: Flight): void {
    if (plan.changes > 0) this.#onDurable(plan.group);
    for (const { settle } of decided) settle();
    this.#tidy();
    this.#launchSoon();
  }

  #decide(plan: GroupPlan, most: number): Decided[] {
    const decided: Decided[] = [];
    let taken = 0;
    for (const call of this.#waiting) {
      if (taken === most || taken === groupCalls || plan.bytes >= groupBytes) break;
      taken++;
      const changes = plan.changes;
      try {
        const settle = call.decide(plan);
        decided.push({ call, settle, writes: plan.changes > changes });
      } catch (error) {
        // Thrown against what the group would have made of the state: its caller may know once that is durable.
        decided.push({ call, settle: () => call.reject(error), writes: false });
      }
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    return decided;
  }

  /** What would have written is refused; what only looked saw a state that never came to be, and is decided anew. */
  #fail({ decided }: Flight, error: unknown): void {
    const again: Call[] = [];
    for (const { call, writes } of decided) {
      if (writes) call.reject(error);
      else again.push(call);
    }
    this.#waiting = [...again, ...this.#waiting];
    this.#launchSoon();
  }

  /** One step at a time, between groups; after a failure, again with the next write. */
  #tidy(): void {
    if (this.#tidying || this.#finishing || !this.#storage.upkeepDue) return;
    this.#tidying = true;
    this.#storage.upkeep().then(
      () => {
        this.#tidying = false;
        this.#tidy();
        this.#tellIdle();
      },
      (error: unknown) => {
        this.#tidying = false;
        this.#logger.warn(`the store could not be tidied for now: ${describeError(error)}`);
        this.#tellIdle();
      },
    );
  }
}
