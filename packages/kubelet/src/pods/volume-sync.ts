import type { Pod } from "@skiff/api";
import { aborted, backoffDelayMs, isAbort } from "@skiff/base";
import type { NodeParts } from "./node-parts.ts";

const retry = { initialMs: 500, maxMs: 122_000 };

/** Keeps one pod's volumes current: sets them up, again after failures, and refreshes them when what they show changed. */
export class VolumeSync {
  readonly #parts: NodeParts;
  readonly #ready = Promise.withResolvers<void>();
  #pod: Pod;
  #poked = Promise.withResolvers<void>();

  constructor(parts: NodeParts, pod: Pod) {
    this.#parts = parts;
    this.#pod = pod;
    if ((pod.spec.volumes ?? []).length === 0) this.#ready.resolve();
  }

  /** Resolves once all volumes have been set up. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Labels or annotations may have changed, or an object that a volume shows. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#poked.resolve();
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    if ((this.#pod.spec.volumes ?? []).length === 0) return;
    const { clock, volumes } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      this.#poked = Promise.withResolvers<void>();
      let waitMs: number;
      try {
        waitMs = (await volumes.setUp(this.#pod, signal)) - clock.now();
        failures = 0;
        this.#ready.resolve();
      } catch (error) {
        if (isAbort(error, signal)) return;
        waitMs = backoffDelayMs(retry, ++failures);
      }
      using _ = clock.after(Math.max(0, Math.min(waitMs, 3_600_000)), () => this.#poked.resolve());
      await Promise.race([this.#poked.promise, aborted(signal)]);
    }
  }
}
