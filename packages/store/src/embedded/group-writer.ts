import { setImmediate } from "node:timers/promises";
import { describeError, type Logger } from "@skiff/base";
import type { LeaseTable } from "./lease-table.ts";
import { type Ground, GroupPlan } from "./plan-group.ts";
import type { Storage, WriteGroup } from "./storage.ts";

/** A group is closed when it has so many calls or bytes, so that no caller waits long for the others in it. */
const groupCalls = 1024;
const groupBytes = 8 * 1024 * 1024;

/** What a call comes to, once it is decided. */
type Outcome<T> = { readonly kind: "done"; readonly result: T } | { readonly kind: "refused"; readonly error: unknown };

/** A call that waits to be planned. Every caller waits for its answer, so there are no more of them than callers. */
class Call<T> {
  readonly #run: (plan: GroupPlan) => T;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: unknown) => void;
  #outcome: Outcome<T> | undefined;
  #writes = false;

  constructor(run: (plan: GroupPlan) => T, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.#run = run;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Whether its group must be durable because of it. */
  get writes(): boolean {
    return this.#writes;
  }

  /** What throws is left out of the group. */
  decide(plan: GroupPlan): void {
    const { changes } = plan;
    try {
      this.#outcome = { kind: "done", result: this.#run(plan) };
      this.#writes = plan.changes > changes;
    } catch (error) {
      // Thrown against what the group would have made of the state: its caller may know once that is durable.
      this.#outcome = { kind: "refused", error };
      this.#writes = false;
    }
  }

  /** Answers the caller with what was decided. */
  settle(): void {
    if (this.#outcome?.kind === "done") this.#resolve(this.#outcome.result);
    else this.#reject(this.#outcome?.error);
  }

  reject(error: unknown): void {
    this.#reject(error);
  }
}

/** Calls that differ in what they answer with wait in one queue. */
type AnyCall = Pick<Call<unknown>, "decide" | "settle" | "reject" | "writes">;

/**
 * Group commit. While one group is on its way to the disk, calls gather; they make up the next group as soon as the disk
 * is free. A call that finds the disk idle goes at once, together with whatever else its turn of the event loop brings.
 */
export class GroupWriter {
  readonly #storage: Storage;
  readonly #ground: Ground;
  readonly #logger: Logger;
  readonly #onDurable: (group: WriteGroup) => void;
  #waiting: AnyCall[] = [];
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
      peek: (key) => storage.peek(key),
      hasLease: (id) => leases.has(id),
      leaseKeys: (id) => leases.keysOf(id),
    };
    if (storage.upkeepDue) this.#start();
  }

  /** Settles with what `decide` gave or threw, once its group and all before it are durable. */
  run<T>(decide: (plan: GroupPlan) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(new Call(decide, resolve, reject));
      this.#start();
    });
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
      // A storage may make its writes wait: between two of them everything else must have its turn.
      if (this.#waiting.length > 0 && (await this.#writeGroup()) === "disk") await setImmediate();
      if (this.#storage.upkeepDue && !this.#finishing && !(await this.#upkeep())) return;
    } while (this.#waiting.length > 0 || (this.#storage.upkeepDue && !this.#finishing));
  }

  async #writeGroup(): Promise<"disk" | "memory"> {
    const plan = new GroupPlan(this.#ground);
    const decided = this.#decide(plan);
    let where: "disk" | "memory" = "memory";
    if (plan.changes > 0) {
      try {
        // Without a promise it is done: the memory engine's commits then take no turn of the event loop.
        const written = this.#storage.write(plan.group);
        if (written !== undefined) {
          where = "disk";
          await written;
        }
      } catch (error) {
        this.#fail(decided, error);
        return "disk";
      }
      this.#onDurable(plan.group);
    }
    for (const call of decided) call.settle();
    return where;
  }

  #decide(plan: GroupPlan): readonly AnyCall[] {
    let taken = 0;
    for (const call of this.#waiting) {
      if (taken === groupCalls || plan.bytes >= groupBytes) break;
      taken++;
      call.decide(plan);
    }
    return this.#waiting.splice(0, taken);
  }

  /** What would have written is refused; what only looked saw a state that never came to be, and is decided anew. */
  #fail(decided: readonly AnyCall[], error: unknown): void {
    for (const call of decided) if (call.writes) call.reject(error);
    this.#waiting = [...decided.filter(({ writes }) => !writes), ...this.#waiting];
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
