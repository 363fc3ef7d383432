import { type Clock, describeError, type Logger } from "@skiff/base";
import type { Runtime } from "@skiff/runtime";
import { runtimeLabels } from "../pods/runtime-labels.ts";
import type { NodeCpus } from "./node-cpus.ts";

/** Containers that were made while CPUs changed hands are put right so often. */
const periodMs = 10_000;

export interface CpuApplierOptions {
  readonly cpus: NodeCpus;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps every running container on the CPUs that it is to run on, as these change hands. */
export class CpuApplier {
  readonly #options: CpuApplierOptions;
  /** What containers were told last, by id. */
  readonly #applied = new Map<string, string>();
  #poked = Promise.withResolvers<void>();

  constructor(options: CpuApplierOptions) {
    this.#options = options;
  }

  poke(): void {
    this.#poked.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    signal.addEventListener("abort", () => this.poke(), { once: true });
    while (!signal.aborted) {
      this.#poked = Promise.withResolvers();
      try {
        await this.#apply(signal);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`CPUs of containers: ${describeError(error)}`);
      }
      using _ = clock.after(periodMs, () => this.poke());
      await this.#poked.promise;
    }
  }

  async #apply(signal: AbortSignal): Promise<void> {
    const { cpus, runtime, logger } = this.#options;
    const running = (await runtime.listContainers(signal)).filter((one) => one.state === "running");
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.#applied.keys()) if (!ids.has(id)) this.#applied.delete(id);
    for (const { id, name, labels } of running) {
      const uid = labels[runtimeLabels.podUid];
      if (uid === undefined) continue;
      const cpusetCpus = cpus.cpusOf(uid, name);
      if (this.#applied.get(id) === cpusetCpus) continue;
      try {
        await runtime.updateContainerResources(id, { cpusetCpus }, signal);
        this.#applied.set(id, cpusetCpus);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn(`CPUs of ${name}: ${describeError(error)}`);
      }
    }
  }
}
