import type { Clock } from "@skiff/base";
import { StoreUnavailableError } from "../store.ts";
import type { EtcdWatch } from "./etcd-watch.ts";

/** Events mostly come by themselves within this time; only then etcd is asked how far a watch has come. */
const eventsMs = 2;
/** And asked again so often: it takes two answers, and they may get lost with a connection. */
const askAgainMs = 10;
/** After so long the reader is told that there is no fresh state to be had. */
const giveUpMs = 10_000;

/**
 * Lets watches catch up with all that anybody has committed. Readers that come while the newest revision is being asked for
 * share the next question: however many there are, one question is on its way at a time.
 */
export class FreshReads {
  readonly #clock: Clock;
  readonly #watches: ReadonlySet<EtcdWatch>;
  readonly #newest: () => Promise<number>;
  #asking: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `newest` asks etcd for its revision, agreed on by its members. */
  constructor(options: {
    readonly clock: Clock;
    readonly watches: ReadonlySet<EtcdWatch>;
    readonly newest: () => Promise<number>;
  }) {
    this.#clock = options.clock;
    this.#watches = options.watches;
    this.#newest = options.newest;
  }

  sync(): Promise<void> {
    if (this.#asking === undefined) return this.#ask();
    // The question under way may have been answered before this reader came.
    this.#next ??= this.#asking
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#ask();
      });
    return this.#next;
  }

  /** Resolves when watches have had everything up to a revision. */
  async reach(watches: Iterable<EtcdWatch>, revision: number): Promise<void> {
    for (const watch of watches) await this.#reachOne(watch, revision);
  }

  #ask(): Promise<void> {
    this.#asking = this.#newest()
      .then((revision) => this.reach([...this.#watches], revision))
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #reachOne(watch: EtcdWatch, revision: number): Promise<void> {
    const reached = watch.reached(revision);
    if (reached === undefined) return;
    const endsAtMs = this.#clock.monotonic() + giveUpMs;
    for (let waitMs = eventsMs; ; waitMs = askAgainMs) {
      const { promise: waited, resolve } = Promise.withResolvers<boolean>();
      using _timer = this.#clock.after(waitMs, () => resolve(false));
      if (await Promise.race([reached.then(() => true), waited])) return;
      if (this.#clock.monotonic() > endsAtMs) throw new StoreUnavailableError("the watch of etcd does not catch up");
      watch.askForProgress();
    }
  }
}
