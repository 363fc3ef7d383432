import { isAbort } from "./abort.ts";
import { describeError, type Logger } from "./logger.ts";

/**
 * Owns work that goes on behind a component's back, so that no promise floats: everything started here is stopped and
 * waited for when the owner is disposed of, and a failure is reported instead of lost.
 *
 * @example
 * await using background = new Background({ logger });
 * background.run("lease renewal", (signal) => renewForever(signal));
 */
export class Background implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #logger: Logger;
  readonly #onCrash: (name: string, error: unknown) => void;

  /** `onCrash` hears of work that failed other than by being stopped; where it is not given the failure is logged. */
  constructor(options: { readonly logger: Logger; readonly onCrash?: (name: string, error: unknown) => void }) {
    this.#logger = options.logger;
    this.#onCrash =
      options.onCrash ?? ((name, error) => this.#logger.error(`${name} failed: ${describeError(error)}`, { error }));
  }

  /** Aborted when the owner stops. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Starts `work`; it must end soon after its signal is aborted. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const running = work(this.#abort.signal)
      .catch((error: unknown) => {
        if (!isAbort(error, this.#abort.signal)) this.#onCrash(name, error);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
