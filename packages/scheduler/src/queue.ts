import type { Pod } from "@skiff/api";
import { type BackoffPolicy, type Clock, Heap, KeyedBackoff, type Timer } from "@skiff/base";
import type { QueuedPod } from "./framework.ts";

/** Pods that were rejected wait at least so long before they are tried again, longer each time. */
export const usualBackoff: BackoffPolicy = { initialMs: 1_000, maxMs: 10_000 };
/** No rejected pod waits longer, whatever happened or did not happen in the cluster. */
const longestWaitMs = 5 * 60_000;

interface Waiting {
  pod: Pod;
  readonly sinceMs: number;
  readonly order: number;
  /** Plugins that rejected it: only changes that these care about wake it. */
  plugins: ReadonlySet<string>;
  state: "active" | "trying" | "backoff" | "rejected" | "gone";
  timer: Timer | undefined;
  /** Something that may help happened while the pod was being tried. */
  woken: boolean;
  /** When its back-off ends. */
  earliestMs: number;
  /** It was not the cluster that had no room, something failed: its back-off is waited out. */
  failed: boolean;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** Called when a pod has become ready to be tried. */
  readonly onReady: () => void;
  readonly backoff?: BackoffPolicy;
  /** Which of two pods is tried first; by priority, then by age where absent. */
  readonly compare?: (a: QueuedPod, b: QueuedPod) => number;
}

/** The more important pod first, then the one that has waited longer. */
export const byPriority = (a: QueuedPod, b: QueuedPod): number =>
  (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || a.sinceMs - b.sinceMs;

/**
 * Pods without a node. Active ones are handed out by priority, then by age; rejected ones come back when something
 * happened that may help them, after their back-off (or as soon as nobody else waits), and after five minutes in any case.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  readonly #active: Heap<Waiting>;
  readonly #backingOff: Heap<Waiting>;
  /** Rejected pods, by each of the plugins that rejected them. */
  readonly #rejectedBy = new Map<string, Set<Waiting>>();
  readonly #trying = new Set<Waiting>();
  readonly #backoff: KeyedBackoff<string>;
  readonly #onReady: () => void;
  #order = 0;

  constructor({ clock, onReady, backoff = usualBackoff, compare = byPriority }: QueueOptions) {
    this.#clock = clock;
    this.#onReady = onReady;
    this.#backoff = new KeyedBackoff<string>(backoff);
    this.#active = new Heap((a, b) => compare(a, b) || a.order - b.order);
    this.#backingOff = new Heap((a, b) => a.earliestMs - b.earliestMs || a.order - b.order);
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(uid: string): boolean {
    return this.#waiting.has(uid);
  }

  /** A pod that needs a node, new or changed. */
  add(pod: Pod): void {
    const { uid } = pod.metadata;
    const known = this.#waiting.get(uid);
    if (known !== undefined) {
      const changed = known.pod.metadata.generation !== pod.metadata.generation || labelsChanged(known.pod, pod);
      known.pod = pod;
      if (changed) this.#wakeEntry(known);
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
      failed: false,
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
    this.#settle(entry, "gone");
  }

  /**
   * The next pod to try; it stays in the queue's care until `remove` or `reject`. Pods whose back-off is not over yet have their
   * turn when no other waits.
   */
  next(): Pod | undefined {
    const entry = this.#take(this.#active, "active") ?? this.#take(this.#backingOff, "backoff");
    if (entry === undefined) return undefined;
    this.#settle(entry, "trying");
    entry.woken = false;
    return entry.pod;
  }

  /** The pod found no node: it waits for changes that its plugins hope for. */
  reject(uid: string, plugins: ReadonlySet<string>): void {
    this.#reject(uid, plugins, false);
  }

  /** Something failed on the way: the pod is tried again after its back-off. */
  fail(uid: string): void {
    this.#reject(uid, new Set(), true);
  }

  /** Something happened that may help pods which one of these plugins rejected. */
  wake(plugins: readonly string[], helps: (pod: Pod, rejectedBy: ReadonlySet<string>) => boolean): void {
    for (const entry of this.#trying) entry.woken = true;
    for (const plugin of plugins) {
      for (const entry of this.#rejectedBy.get(plugin) ?? []) {
        if (helps(entry.pod, entry.plugins)) this.#wakeEntry(entry);
      }
    }
  }

  /** The pod is tried again at once. */
  activate(uid: string): void {
    const entry = this.#waiting.get(uid);
    if (entry !== undefined && entry.state !== "trying") this.#activate(entry);
  }

  #reject(uid: string, plugins: ReadonlySet<string>, failed: boolean): void {
    const entry = this.#waiting.get(uid);
    if (entry === undefined) return;
    const woken = entry.woken;
    this.#settle(entry, "rejected");
    entry.plugins = plugins;
    entry.failed = failed;
    entry.earliestMs = this.#clock.now() + this.#backoff.fail(uid);
    if (woken || plugins.size === 0) {
      this.#backOff(entry);
      return;
    }
    for (const plugin of plugins) {
      const bucket = this.#rejectedBy.get(plugin) ?? new Set();
      this.#rejectedBy.set(plugin, bucket.add(entry));
    }
    entry.timer = this.#clock.after(longestWaitMs, () => this.#activate(entry));
  }

  #take(heap: Heap<Waiting>, state: Waiting["state"]): Waiting | undefined {
    for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
      if (entry.state === state && !(entry.failed && state === "backoff")) return entry;
    }
    return undefined;
  }

  #wakeEntry(entry: Waiting): void {
    if (entry.state === "trying") entry.woken = true;
    else if (entry.state === "rejected") {
      entry.failed = false;
      this.#backOff(entry);
    }
  }

  #backOff(entry: Waiting): void {
    const delayMs = entry.earliestMs - this.#clock.now();
    if (delayMs <= 0) {
      this.#activate(entry);
      return;
    }
    this.#settle(entry, "backoff");
    entry.timer = this.#clock.after(delayMs, () => this.#activate(entry));
    if (entry.failed) return;
    this.#backingOff.push(entry);
    this.#onReady();
  }

  #activate(entry: Waiting): void {
    if (entry.state === "gone" || entry.state === "active") return;
    this.#settle(entry, "active");
    this.#active.push(entry);
    this.#onReady();
  }

  /** Brings the entry into a state, out of whatever it waited for. */
  #settle(entry: Waiting, state: Waiting["state"]): void {
    entry.timer?.cancel();
    entry.timer = undefined;
    for (const plugin of entry.plugins) {
      const bucket = this.#rejectedBy.get(plugin);
      bucket?.delete(entry);
      if (bucket?.size === 0) this.#rejectedBy.delete(plugin);
    }
    if (state === "trying") this.#trying.add(entry);
    else this.#trying.delete(entry);
    entry.state = state;
  }
}

const labelsChanged = (old: Pod, pod: Pod): boolean =>
  JSON.stringify(old.metadata.labels ?? {}) !== JSON.stringify(pod.metadata.labels ?? {});
