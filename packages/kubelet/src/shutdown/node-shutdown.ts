import type { Pod } from "@skiff/api";
import { type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { ShutdownNotices } from "@skiff/host";
import type { PodFailure } from "../pods/pod-status.ts";
import { groupPods, type ShutdownGroup, shutdownMs } from "./shutdown-groups.ts";

const message = "Pod was terminated in response to imminent node shutdown.";
const failure: PodFailure = { reason: "Terminated", message, disruption: message };

export interface NodeShutdownOptions {
  readonly groups: readonly ShutdownGroup[];
  readonly notices: ShutdownNotices;
  readonly pods: () => readonly Pod[];
  /** Ends a pod within a grace; resolves once nothing of it runs. */
  readonly end: (
    pod: Pod,
    failure: PodFailure,
    options: { readonly graceSeconds: number; readonly signal: AbortSignal },
  ) => Promise<void>;
  /** A shutdown has begun or was called off: the node is to say so. `text` is that of an event. */
  readonly onChange: (text: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Ends the node's pods in good order when the machine is about to shut down: by priority, the least first, each group within its time.
 * https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#graceful-node-shutdown
 */
export class NodeShutdown {
  readonly #options: NodeShutdownOptions;
  #underWay = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: NodeShutdownOptions) {
    this.#options = options;
  }

  /** The machine is about to shut down: no pod is taken any more. */
  get isUnderWay(): boolean {
    return this.#underWay;
  }

  /** Listens until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { notices, groups, logger } = this.#options;
    const onNotice = (shuttingDown: boolean) => {
      if (shuttingDown === this.#underWay) return;
      this.#underWay = shuttingDown;
      const what = shuttingDown ? "shutdown event" : "shutdown cancellation";
      this.#options.onChange(`Shutdown manager detected ${what}`);
      if (!shuttingDown) return;
      this.#work = this.#endAll(signal).catch((error: unknown) => {
        if (!isAbort(error, signal)) logger.warn(`shutdown: ${describeError(error)}`);
      });
    };
    await notices.watch({ delayMs: shutdownMs(groups), onNotice }, signal);
    await this.#work;
  }

  async #endAll(signal: AbortSignal): Promise<void> {
    const { groups, notices, pods } = this.#options;
    try {
      for (const { group, pods: members } of groupPods(groups, pods())) await this.#endGroup(group, members, signal);
    } finally {
      notices.release();
    }
  }

  /** Returns when all have ended, or when their time is over: what is left is the next group's neighbour. */
  async #endGroup({ graceSeconds }: ShutdownGroup, pods: readonly Pod[], signal: AbortSignal): Promise<void> {
    if (pods.length === 0) return;
    const { clock, end, logger } = this.#options;
    const ends = pods.map((pod) => {
      const own = pod.spec.terminationGracePeriodSeconds ?? 30;
      return end(pod, failure, { graceSeconds: Math.min(own, graceSeconds), signal });
    });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _ = clock.after(graceSeconds * 1000, () => {
      logger.warn(`pods did not end within ${graceSeconds} s of the shutdown`);
      resolve();
    });
    await Promise.race([Promise.all(ends), late]);
  }
}
