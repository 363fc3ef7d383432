import { describeError, type Logger } from "@skiff/base";
import type { LeaseTable } from "./lease-table.ts";
import { type Ground, GroupPlan } from "./plan-group.ts";
import type { Storage, WriteGroup } from "./storage.ts";

/** A group is closed when it has so many calls or bytes, so that no caller waits long for the others in it. */
const groupCalls = 1024;
const groupBytes = 8 * 1024 * 1024;

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

/**
 * Group commit. While one group is on its way to the disk, calls gather; they make up the next group as soon as the disk
 * is free. A call that finds the disk idle goes at once, together with whatever else its turn of the event loop brings.
 */
export class GroupWriter {
  readonly #storage: Storage;
  readonly #ground: Ground;
  readonly #logger: Logger;
  readonly #onDurable: (group: WriteGroup) => void;
  #waiting: Call[] = [];
  #working: Promise<void> | undefined;
  #finishing = false;

  /** `onDurable` is called with each group that was written, before its callers are answered. */
  constructor(options: {
    readonly storage: Storage;
    readonly leases: LeaseTable;
    readonly logger: Logger;
    readonly onDurable: (group: WriteGroup) => void;
  }) {
    const { storage, leases } = options;
    this.#storage = storage;
    this.#logger = options.logger;
    this.#onDurable = options.onDurable;
    this.#ground = {
      get revision() {
        return storage.revision;
      },
      get compactedRevision() {
        return storage.compactedRevision;
      },
      get: (key) => storage.get(key),
      hasLease: (id) => leases.has(id),
      leaseKeys: (id) => leases.keysOf(id),
    };
    if (storage.upkeepDue) this.#start();
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
    this.#start();
    return promise;
  }

  /** Waits until all calls made so far are settled. */
  async finish(): Promise<void> {
    this.#finishing = true;
    while (this.#working !== undefined) await this.#working;
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #work(): Promise<void> {
    do {
      // Goes on when this turn's promise continuations are done: what they commit belongs to the same group.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      if (this.#waiting.length > 0) await this.#writeGroup();
      if (this.#storage.upkeepDue && !this.#finishing && !(await this.#upkeep())) return;
    } while (this.#waiting.length > 0 || (this.#storage.upkeepDue && !this.#finishing));
  }

  async #writeGroup(): Promise<void> {
    const plan = new GroupPlan(this.#ground);
    const decided = this.#decide(plan);
    if (plan.changes > 0) {
      try {
        // Without a promise it is done: the memory engine's commits then take no turn of the event loop.
        const written = this.#storage.write(plan.group);
        if (written !== undefined) await written;
      } catch (error) {
        this.#fail(decided, error);
        return;
      }
      this.#onDurable(plan.group);
    }
    for (const { settle } of decided) settle();
  }

  #decide(plan: GroupPlan): Decided[] {
    const decided: Decided[] = [];
    let taken = 0;
    for (const call of this.#waiting) {
      if (taken === groupCalls || plan.bytes >= groupBytes) break;
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
  #fail(decided: readonly Decided[], error: unknown): void {
    const again: Call[] = [];
    for (const { call, writes } of decided) {
      if (writes) call.reject(error);
      else again.push(call);
    }
    this.#waiting = [...again, ...this.#waiting];
  }

  async #upkeep(): Promise<boolean> {
    try {
      await this.#storage.upkeep();
      return true;
    } catch (error) {
      // Tried again with the next write.
      this.#logger.warn(`the store could not be tidied for now: ${describeError(error)}`);
      return false;
    }
  }
}
