import { assert, present } from "@skiff/base";

/** A part of a cluster that can be stopped at any moment and be started again. */
export type Component = "api-server" | "controllers" | "scheduler";

/** The parts of a cluster, each as long as it runs: what starts again knows nothing of what was before. */
export class Components {
  readonly #starts: Readonly<Record<Component, () => Promise<AsyncDisposable>>>;
  readonly #running = new Map<Component, AsyncDisposable>();

  constructor(starts: Readonly<Record<Component, () => Promise<AsyncDisposable>>>) {
    this.#starts = starts;
  }

  async start(component: Component): Promise<void> {
    assert(!this.#running.has(component), `${component} is started when it does not run`);
    this.#running.set(component, await this.#starts[component]());
  }

  /** Breaks off what it does, wherever it is. */
  async stop(component: Component): Promise<void> {
    await this.end(component, present(this.#running.get(component), `${component}, which is to be stopped, runs`));
  }

  /** Stops it if it runs. */
  async end(component: Component, running = this.#running.get(component)): Promise<void> {
    this.#running.delete(component);
    await running?.[Symbol.asyncDispose]();
  }
}
