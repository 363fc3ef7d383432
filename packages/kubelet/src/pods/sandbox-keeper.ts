import type { Pod } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { SandboxStatus } from "@skiff/runtime";
import { makeSandbox } from "./make-sandbox.ts";
import type { NodeParts } from "./node-parts.ts";

const firstRetryMs = 1000;
const lastRetryMs = 15_000;

/** Makes and takes down the sandboxes of one pod, one thing at a time, again after failures. */
export class SandboxKeeper {
  readonly #parts: NodeParts;
  readonly #wake: () => void;
  #task: Promise<void> | undefined;
  #failures = 0;
  /** The least attempt for the next sandbox: the name of one that failed may still be taken. */
  #attempt = 0;
  #retryAtMs = 0;

  constructor(parts: NodeParts, wake: () => void) {
    this.#parts = parts;
    this.#wake = wake;
  }

  get busy(): boolean {
    return this.#task !== undefined;
  }

  async settled(): Promise<void> {
    await this.#task;
  }

  /** Starts making a sandbox. Gives the milliseconds to wait where it is too early after a failure, else 0. */
  make(
    pod: Pod,
    options: { readonly attempt: number; readonly old: readonly SandboxStatus[]; readonly signal: AbortSignal },
  ): number {
    const { clock } = this.#parts;
    const waitMs = this.#retryAtMs - clock.monotonic();
    if (waitMs > 0) return waitMs;
    const attempt = Math.max(options.attempt, this.#attempt);
    this.#run(
      makeSandbox(this.#parts, pod, { ...options, attempt }).then(
        () => {
          this.#failures = 0;
        },
        (error: unknown) => {
          this.#attempt = attempt + 1;
          this.#retryAtMs = clock.monotonic() + Math.min(lastRetryMs, firstRetryMs * 2 ** this.#failures++);
          throw error;
        },
      ),
      options.signal,
    );
    return 0;
  }

  /** Starts taking down sandboxes that have been replaced. */
  stop(sandboxes: readonly SandboxStatus[], signal: AbortSignal): void {
    const { runtime, cache } = this.#parts;
    const stale = sandboxes.filter((one) => one.state === "ready");
    if (stale.length === 0) return;
    const stops = stale.map(async (one) => {
      await runtime.stopPodSandbox(one.id, signal);
      await cache.refreshSandbox(one.id, signal);
    });
    this.#run(
      Promise.all(stops).then(() => {}),
      signal,
    );
  }

  #run(work: Promise<void>, signal: AbortSignal): void {
    this.#task = work
      .catch((error: unknown) => {
        if (!isAbort(error, signal)) this.#parts.logger.warn(`sandbox: ${describeError(error)}`);
      })
      .finally(() => {
        this.#task = undefined;
        this.#wake();
      });
  }
}
