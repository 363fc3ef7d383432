import { mkdir, rm, writeFile } from "node:fs/promises";
import { aborted, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Processes, StartedProcess } from "./processes.ts";

export interface ShutdownWatch {
  /** How long the machine should wait with its shutdown for what is to be done before. */
  readonly delayMs: number;
  /** True: the machine is about to shut down. False: it will not, after all. */
  readonly onNotice: (shuttingDown: boolean) => void;
}

/** Word that the machine is about to shut down, while there is still time. */
export interface ShutdownNotices {
  /** Listens until aborted. */
  watch(watch: ShutdownWatch, signal: AbortSignal): Promise<void>;
  /** All that had to be done is done: the machine need not wait any more. */
  release(): void;
}

const service = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"] as const;
const match = `type='signal',interface='${service[2]}',member='PrepareForShutdown'`;
const settingsFolder = "/etc/systemd/logind.conf.d";
const retryMs = 1000;

/**
 * The word of systemd's logind, which lets others hold up a shutdown for a while. Spoken with by systemd's own commands: a lock is a
 * file descriptor that comes over a socket, which Node cannot take.
 * https://systemd.io/INHIBITOR_LOCKS/
 */
export class LoginShutdownNotices implements ShutdownNotices {
  readonly #processes: Processes;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** File by which logind learns how long it may be held up. */
  readonly #settings: string;
  #lock: StartedProcess | undefined;

  /** `name` tells this node from others on the machine, as in `skiff-default`. */
  constructor(options: {
    readonly name: string;
    readonly processes: Processes;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#processes = options.processes;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#settings = `${settingsFolder}/99-${options.name}.conf`;
  }

  /** Returns at once on a machine without logind. */
  async watch(watch: ShutdownWatch, signal: AbortSignal): Promise<void> {
    if ((await this.#longestDelayMs(signal)) === undefined) return;
    while (!signal.aborted) {
      try {
        await this.#allowDelay(watch.delayMs, signal);
        await this.#follow(watch, signal);
      } catch (error) {
        if (isAbort(error, signal)) break;
        this.#logger.warn(`cannot hear of shutdowns: ${describeError(error)}`);
      }
      await this.#clock.sleep(retryMs, signal).catch(() => {});
    }
    this.release();
    await rm(this.#settings, { force: true });
  }

  release(): void {
    this.#lock?.kill("SIGTERM");
    this.#lock = undefined;
  }

  async #follow(watch: ShutdownWatch, signal: AbortSignal): Promise<void> {
    await this.#takeLock();
    const args = ["--system", "--json=short", `--match=${match}`, "monitor"];
    const onLine = (line: string) => {
      const shuttingDown = noticeOf(line);
      if (shuttingDown === undefined) return;
      if (!shuttingDown) this.#takeLock().catch((error: unknown) => this.#logger.warn(describeError(error)));
      watch.onNotice(shuttingDown);
    };
    const monitor = await this.#processes.start("busctl", { args, log: { kind: "lines", onLine } });
    await Promise.race([monitor.exit, aborted(signal)]);
    monitor.kill("SIGTERM");
    this.release();
    signal.throwIfAborted();
  }

  async #takeLock(): Promise<void> {
    this.release();
    const args = ["--what=shutdown", "--mode=delay", "--who=skiff", "--why=Pods need time to end", "sleep", "infinity"];
    this.#lock = await this.#processes.start("systemd-inhibit", { args, log: { kind: "none" } });
  }

  /** How long logind lets itself be held up; `undefined` where there is none. */
  async #longestDelayMs(signal: AbortSignal): Promise<number | undefined> {
    const args = ["--system", "get-property", ...service, "InhibitDelayMaxUSec"];
    const found = await this.#processes.run("busctl", { args, timeoutMs: 5000 }, signal).catch(() => undefined);
    const micros = /^t (\d+)/.exec(found?.code === 0 ? found.stdout : "")?.[1];
    return micros === undefined ? undefined : Number(micros) / 1000;
  }

  async #allowDelay(delayMs: number, signal: AbortSignal): Promise<void> {
    if (((await this.#longestDelayMs(signal)) ?? 0) >= delayMs) return;
    await mkdir(settingsFolder, { recursive: true });
    const text = `# Written by skiff, for its node's pods to have time to end.\n[Login]\nInhibitDelayMaxSec=${Math.ceil(delayMs / 1000)}\n`;
    await writeFile(this.#settings, text);
    await this.#processes.output(
      "systemctl",
      { args: ["kill", "-s", "HUP", "systemd-logind"], timeoutMs: 5000 },
      signal,
    );
    if (((await this.#longestDelayMs(signal)) ?? 0) >= delayMs) return;
    throw new Error(`logind does not let shutdowns be held up for ${delayMs / 1000} s`);
  }
}

/** What a line of `busctl monitor` tells: a shutdown is coming (true), was called off (false), or neither. */
export function noticeOf(line: string): boolean | undefined {
  if (!line.includes("PrepareForShutdown")) return undefined;
  const told = /"data":\s*\[\s*(true|false)\s*\]/.exec(line)?.[1];
  return told === undefined ? undefined : told === "true";
}

/** A signal to this process as the word of a machine without logind; its init, or whoever else knows, sends it. */
export class SignalShutdownNotices implements ShutdownNotices {
  readonly #name: NodeJS.Signals;

  constructor(name: NodeJS.Signals) {
    this.#name = name;
  }

  async watch({ onNotice }: ShutdownWatch, signal: AbortSignal): Promise<void> {
    const heard = () => onNotice(true);
    process.on(this.#name, heard);
    await aborted(signal);
    process.off(this.#name, heard);
  }

  release(): void {}
}

/** The word of any of several. */
export function anyShutdownNotices(all: readonly ShutdownNotices[]): ShutdownNotices {
  return {
    watch: async (watch, signal) => {
      await Promise.all(all.map((one) => one.watch(watch, signal)));
    },
    release: () => {
      for (const one of all) one.release();
    },
  };
}
