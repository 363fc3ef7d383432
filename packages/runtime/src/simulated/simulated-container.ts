import type { Clock, Timer } from "@skiff/base";
import type { ContainerConfig, ContainerState, ContainerStatus, ImageSummary } from "../runtime.ts";
import type { Behaviour } from "./behaviour.ts";

/** How a container ended. */
export interface SimulatedExit {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

const longestTimerMs = 2 ** 31 - 1;

/** One container: its state and the timer that ends it. */
export class SimulatedContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly behaviour: Behaviour;
  readonly image: ImageSummary;
  readonly logPath: string;
  readonly createdAtMs: number;
  state: ContainerState = "created";
  startedAtMs = 0;
  finishedAtMs = 0;
  exit: SimulatedExit | undefined;
  /** Resolves when it has ended; made only when somebody waits. */
  #ended: PromiseWithResolvers<number> | undefined;
  #timer: Timer | undefined;

  constructor(
    identity: {
      readonly id: string;
      readonly sandboxId: string;
      readonly logPath: string;
      readonly createdAtMs: number;
    },
    config: ContainerConfig,
    image: ImageSummary,
    behaviour: Behaviour,
  ) {
    this.id = identity.id;
    this.sandboxId = identity.sandboxId;
    this.logPath = identity.logPath;
    this.createdAtMs = identity.createdAtMs;
    this.config = config;
    this.image = image;
    this.behaviour = behaviour;
  }

  /** Runs; calls `onEnd` when its time is over, if it ever is. */
  start(clock: Clock, onEnd: () => void): void {
    this.state = "running";
    this.startedAtMs = clock.now();
    const { runMs } = this.behaviour;
    // Longer than any timer runs counts as without end.
    if (runMs < longestTimerMs) this.#timer = clock.after(runMs, onEnd);
  }

  end(clock: Clock, exit: SimulatedExit): void {
    this.#timer?.cancel();
    this.state = "exited";
    this.finishedAtMs = clock.now();
    this.exit = exit;
    this.#ended?.resolve(exit.exitCode);
  }

  /** The exit code, once it has ended. */
  get ended(): Promise<number> {
    if (this.exit !== undefined) return Promise.resolve(this.exit.exitCode);
    this.#ended ??= Promise.withResolvers<number>();
    return this.#ended.promise;
  }

  status(): ContainerStatus {
    const { config, image, exit } = this;
    return {
      id: this.id,
      sandboxId: this.sandboxId,
      name: config.name,
      attempt: config.attempt,
      state: this.state,
      createdAtMs: this.createdAtMs,
      startedAtMs: this.startedAtMs,
      finishedAtMs: this.finishedAtMs,
      exitCode: exit?.exitCode ?? 0,
      reason: exit?.reason ?? "",
      message: exit?.message ?? "",
      imageId: image.id,
      imageRef: image.repoDigests[0] ?? image.id,
      userImage: config.userImage,
      labels: config.labels,
      annotations: config.annotations,
      logPath: this.logPath,
      mounts: config.mounts,
    };
  }
}
