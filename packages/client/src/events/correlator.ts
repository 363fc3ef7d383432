/** What makes two events the same, the same but for their words, and from the same place. */
export interface EventKeys {
  /** Source and object. */
  readonly object: string;
  /** `object` with type and reason. */
  readonly similar: string;
  /** The part of the object that it is about; events of other parts are similar, but not the same. */
  readonly fieldPath?: string | undefined;
  readonly message: string;
}

/** An event that was written, and how often it has happened since. */
export interface WrittenEvent {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  readonly count: number;
}

export type Verdict =
  | { readonly kind: "drop" }
  /** `known`: the event to count up; absent for a new one. */
  | {
      readonly kind: "write";
      readonly key: string;
      readonly message: string;
      readonly known: WrittenEvent | undefined;
    };

/** Distinct messages of one reason about one object, from which on they are written as one. */
const similarLimit = 10;
const similarWindowMs = 600_000;
/** Events about one object: this many at once, then one every five minutes. */
const burst = 25;
const refillMs = 300_000;
/** Objects and messages that are remembered, the latest used. */
const memoryLimit = 4096;

/**
 * Keeps the flood of events small, by the rules that Kubernetes' components follow: each object has a budget, many
 * different messages of one reason become one "combined" event, the same event again is counted.
 */
export class EventCorrelator {
  readonly #written = new Recent<WrittenEvent>();
  readonly #similar = new Recent<{ readonly messages: Set<string>; readonly lastMs: number }>();
  readonly #budgets = new Recent<{ readonly tokens: number; readonly atMs: number }>();

  /** What to do with an event that happens at `nowMs` (monotonic). */
  judge(keys: EventKeys, nowMs: number): Verdict {
    const { message, combined } = this.#combine(keys, nowMs);
    if (!this.#spend(keys.object, nowMs)) return { kind: "drop" };
    const key = combined ? `${keys.similar}\n(combined)` : `${keys.similar}\n${keys.fieldPath ?? ""}\n${message}`;
    return { kind: "write", key, message, known: this.#written.get(key) };
  }

  remember(key: string, event: WrittenEvent): void {
    this.#written.set(key, event);
  }

  forget(key: string): void {
    this.#written.delete(key);
  }

  #combine({ similar, message }: EventKeys, nowMs: number): { message: string; combined: boolean } {
    const before = this.#similar.get(similar);
    const fresh = before !== undefined && nowMs - before.lastMs <= similarWindowMs;
    const messages = fresh ? before.messages : new Set<string>();
    messages.add(message);
    this.#similar.set(similar, { messages, lastMs: nowMs });
    if (messages.size < similarLimit) return { message, combined: false };
    // No need to remember all of them: more than enough is enough.
    messages.delete(message);
    return { message: `(combined from similar events): ${message}`, combined: true };
  }

  #spend(object: string, nowMs: number): boolean {
    const before = this.#budgets.get(object) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, before.tokens + (nowMs - before.atMs) / refillMs);
    const allowed = tokens >= 1;
    this.#budgets.set(object, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  }
}

/** A map that forgets what was not used for longest. */
class Recent<Value> {
  readonly #entries = new Map<string, Value>();

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= memoryLimit) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
