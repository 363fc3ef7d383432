import type { Pod } from "@skiff/api";
import { type BackoffPolicy, type Clock, Heap, KeyedBackoff, type Timer } from "@skiff/base";

/** Pods that were rejected wait at least so long before they are tried again, longer each time. */
const backoffPolicy: BackoffPolicy = { initialMs: 1_000, maxMs: 10_000 };
/** No rejected pod waits longer, whatever happened or did not happen in the cluster. */
const longestWaitMs = 5 * 60_000;

interface Waiting {
  pod: Pod;
  readonly sinceMs: number;
  readonly order: number;
  /** Plugins that rejected it: only changes that these care about wake it. */
  plugins: ReadonlySet<string>;
  state: "active" | "backoff" | "rejected" | "gone";
  timer: Timer | undefined;
  /** Something that may help happened while the pod was being tried. */
  woken: boolean;
  /** When its back-off ends. */
  earliestMs: number;
}

/**
 * Pods without a node. Active ones are handed out by priority, then by age; rejected ones come back when something
 * happened that may help them, after their back-off, and after five minutes in any case.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  readonly #active: Heap<Waiting>;
  readonly #backoff = new KeyedBackoff<string>(backoffPolicy);
  readonly #onReady: () => void;
  #order = 0;

  /** `onReady` is called when a pod has become active. */
  constructor(clock: Clock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
    this.#active = new Heap((a, b) => priority(b.pod) - priority(a.pod) || a.sinceMs - b.sinceMs || a.order - b.order);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** A pod that needs a node, new or changed. */
  add(pod: Pod): void {
    const { uid } = pod.metadata;
    const known = this.#waiting.get(uid);
    if (known !== undefined) {
      const changed = known.pod.metadata.generation !== pod.metadata.generation;
      known.pod = pod;
      if (changed && known.state === "rejected") this.#wakeEntry(known);
      return;
    }
    const entry: Waiting = {
      pod,
      sinceMs: this.#clock.now(),
      order: this.#order++,
      plugins: new Set(),
      state: "rejected",
      timer: undefined,
      woken: false,
      earliestMs: 0,
    };
    this.#waiting.set(uid, entry);
    this.#activate(entry);
  }

  /** The pod is gone or has its node. */
  remove(uid: string): void {
    const entry = this.#waiting.get(uid);
    this.#backoff.reset(uid);
    if (entry === undefined) return;
    this.#waiting.delete(uid);
    entry.timer?.cancel();
    entry.state = "gone";
  }

  /** The next pod to try; it stays in the queue's care until `remove` or `reject`. */
  next(): Pod | undefined {
    for (let entry = this.#active.pop(); entry !== undefined; entry = this.#active.pop()) {
      if (entry.state !== "active") continue;
      entry.state = "rejected";
      entry.woken = false;
      return entry.pod;
    }
    return undefined;
  }

  /** The pod found no node (or its binding failed): it waits. */
  reject(uid: string, plugins: ReadonlySet<string>): void {
    const entry = this.#waiting.get(uid);
    if (entry === undefined) return;
    entry.plugins = plugins;
    const delayMs = this.#backoff.fail(uid);
    entry.earliestMs = this.#clock.now() + delayMs;
    if (entry.woken || plugins.size === 0) this.#backOff(entry);
    else entry.timer = this.#clock.after(longestWaitMs, () => this.#activate(entry));
  }

  /** Something happened that may help pods which these plugins rejected. */
  wake(helps: (pod: Pod, plugins: ReadonlySet<string>) => boolean): void {
    for (const entry of this.#waiting.values()) {
      if (entry.state === "rejected" && (entry.timer === undefined || helps(entry.pod, entry.plugins))) {
        this.#wakeEntry(entry);
      }
    }
  }

  /** A rejected pod without a timer is being tried at this moment: its turn may have missed what happened. */
  #wakeEntry(entry: Waiting): void {
    if (entry.timer === undefined) entry.woken = true;
    else this.#backOff(entry);
  }

  #backOff(entry: Waiting): void {
    entry.timer?.cancel();
    const delayMs = entry.earliestMs - this.#clock.now();
    if (delayMs > 0) {
      entry.state = "backoff";
      entry.timer = this.#clock.after(delayMs, () => this.#activate(entry));
    } else this.#activate(entry);
  }

  #activate(entry: Waiting): void {
    if (entry.state === "gone" || entry.state === "active") return;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.state = "active";
    this.#active.push(entry);
    this.#onReady();
  }
}

const priority = (pod: Pod): number => pod.spec.priority ?? 0;
