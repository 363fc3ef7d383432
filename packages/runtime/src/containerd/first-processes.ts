import type { Clock } from "@skiff/base";
import type { Processes, ProcessIdentity } from "@skiff/host";

/** How long containerd may take to clear away a process that was killed. */
const clearMs = 1000;

/**
 * The first processes of containers and sandboxes, as containerd's events tell of them. Killing one by its pid costs a system
 * call; asking containerd for it starts a program, which is a tenth of all the work of taking a pod down.
 */
export class FirstProcesses {
  readonly #running = new Map<string, ProcessIdentity>();
  readonly #clearing = new Map<string, PromiseWithResolvers<void>>();
  readonly #processes: Pick<Processes, "identify" | "signal">;
  readonly #clock: Clock;

  constructor(processes: Pick<Processes, "identify" | "signal">, clock: Clock) {
    this.#processes = processes;
    this.#clock = clock;
  }

  started(id: string, pid: number): void {
    const process = this.#processes.identify(pid);
    if (process !== undefined) this.#running.set(id, process);
  }

  ended(id: string): void {
    this.#running.delete(id);
  }

  /** Nothing of it is left; containerd no longer has to be told to end it. Until then it would start its program even for what has ended. */
  cleared(id: string): void {
    this.#running.delete(id);
    this.#clearing.get(id)?.resolve();
    this.#clearing.delete(id);
  }

  /**
   * Kills those that are known and waits a moment until containerd has cleared them away. What comes of it is not said: containerd is
   * to be asked for the end all the same, and finds nothing left to do.
   */
  async kill(ids: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all(ids.map((id) => this.#kill(id, signal)));
  }

  async #kill(id: string, signal: AbortSignal): Promise<void> {
    const process = this.#running.get(id);
    if (process === undefined) return;
    if (!this.#processes.signal(process, "SIGKILL")) return this.ended(id);
    const clearing = this.#clearing.get(id) ?? Promise.withResolvers<void>();
    this.#clearing.set(id, clearing);
    const over = new AbortController();
    const late = this.#clock.sleep(clearMs, AbortSignal.any([signal, over.signal])).catch(() => {});
    await Promise.race([clearing.promise, late]);
    over.abort();
    this.#clearing.delete(id);
  }
}
