import { type CSIDriver, CSIDrivers } from "@skiff/api";
import { aborted, Background, type Clock, describeError, type Logger } from "@skiff/base";
import type { Informers } from "@skiff/client";

export interface AllocatableUpdatesOptions {
  readonly informers: Informers;
  /** Asks a driver anew how many volumes this node can have, and tells the cluster. */
  readonly refresh: (driver: string, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Asks drivers again and again how many volumes the node can have, as often as their CSIDriver object wants.
 * https://kubernetes.io/docs/concepts/storage/storage-limits/
 */
export class AllocatableUpdates implements AsyncDisposable {
  readonly #options: AllocatableUpdatesOptions;
  readonly #background: Background;
  /** Of the drivers of this node. */
  readonly #running = new Map<string, { readonly periodMs: number; readonly stop: AbortController }>();
  readonly #drivers = new Set<string>();
  readonly #listening: Disposable;

  constructor(options: AllocatableUpdatesOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
    const objects = options.informers.for<CSIDriver>(CSIDrivers);
    this.#listening = objects.onChange(() => this.#follow());
    this.#period = (name) => (objects.get(name)?.spec.nodeAllocatableUpdatePeriodSeconds ?? 0) * 1000;
  }

  readonly #period: (driver: string) => number;

  /** The drivers that are on this node now. */
  set(drivers: readonly { readonly name: string }[]): void {
    this.#drivers.clear();
    for (const { name } of drivers) this.#drivers.add(name);
    this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  #follow(): void {
    for (const [name, { periodMs, stop }] of this.#running) {
      if (this.#drivers.has(name) && this.#period(name) === periodMs) continue;
      stop.abort();
      this.#running.delete(name);
    }
    for (const name of this.#drivers) {
      const periodMs = this.#period(name);
      if (periodMs === 0 || this.#running.has(name)) continue;
      const stop = new AbortController();
      this.#running.set(name, { periodMs, stop });
      this.#background.run(`volume limits of ${name}`, (signal) =>
        this.#again(name, periodMs, AbortSignal.any([signal, stop.signal])),
      );
    }
  }

  async #again(name: string, periodMs: number, signal: AbortSignal): Promise<void> {
    const { clock, refresh, logger } = this.#options;
    while (!signal.aborted) {
      await Promise.race([clock.sleep(periodMs, signal).catch(() => {}), aborted(signal)]);
      if (signal.aborted) return;
      await refresh(name, signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn(`volume limits of ${name}: ${describeError(error)}`);
      });
    }
  }
}
