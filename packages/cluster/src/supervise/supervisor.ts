import { copyFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { abortable, type BackoffPolicy, backoffDelayMs, type Clock, describeError, type Logger } from "@skiff/base";
import type { Processes, ProcessIdentity } from "@skiff/host";
import type { ClusterPaths } from "../settings/paths.ts";
import { type ProcessRecord, readProcessRecords, writeProcessRecords } from "./records.ts";

/** A program's file and its arguments. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** One process that is to run for as long as the cluster does. */
export interface SupervisedProcess {
  readonly name: string;
  /** Asked whenever it is started. What it throws is logged, and the process tried again later. */
  program(): Program | Promise<Program>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take to end after SIGTERM before it is killed. */
  readonly stopMs: number;
}

/** A process that ends is started anew at once the first time, ever later when it keeps ending, never later than this. */
const restartPolicy: BackoffPolicy = { initialMs: 100, maxMs: 5_000 };
/** Having run so long, a process counts as healthy again. */
const healthyMs = 10_000;
const logLimitBytes = 10 * 1024 * 1024;
const pollMs = 300;

interface Effects {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly paths: ClusterPaths;
}

/**
 * Keeps a cluster's processes running. It holds no state that its successor would need: processes that a dead supervisor
 * left behind are found by their records and watched on, not started twice.
 */
export class Supervisor {
  readonly #effects: Effects;
  readonly #specs: readonly SupervisedProcess[];
  readonly #records = new Map<string, ProcessRecord>();
  #writing: Promise<void> = Promise.resolve();

  constructor(specs: readonly SupervisedProcess[], effects: Effects) {
    this.#specs = specs;
    this.#effects = effects;
  }

  /** Runs until the signal is aborted, then stops the processes, last started first. */
  async run(signal: AbortSignal): Promise<void> {
    const { processes, clock, paths } = this.#effects;
    const own = processes.identify(process.pid) ?? { pid: process.pid, startTicks: 0 };
    const survivors = (await readProcessRecords(paths)).filter(
      (record) => this.#specs.some(({ name }) => name === record.name) && processes.isAlive(record),
    );
    // They stay noted from the first: were this process killed in between, nobody would find them.
    for (const survivor of survivors) this.#records.set(survivor.name, survivor);
    this.#note({ ...own, name: "supervisor", restarts: 0, startedAtMs: clock.now() });
    const stops = this.#specs.map((spec) => ({ spec, abort: new AbortController() }));
    const running = stops.map(({ spec, abort }) => {
      const survivor = survivors.find(({ name }) => name === spec.name);
      return this.#keep(spec, survivor, abort.signal);
    });
    const rotation = this.#rotateLogs(signal);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    for (let index = stops.length - 1; index >= 0; index--) {
      stops[index]?.abort.abort();
      await running[index];
    }
    await rotation;
    await this.#writing;
  }

  async #keep(spec: SupervisedProcess, survivor: ProcessRecord | undefined, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#effects;
    let failures = 0;
    let restarts = survivor?.restarts ?? 0;
    let identity: ProcessIdentity | undefined = survivor;
    let ended = survivor === undefined ? undefined : this.#watchForEnd(survivor);
    let startedAtMs = survivor?.startedAtMs ?? clock.now();
    while (!signal.aborted) {
      if (ended === undefined) {
        startedAtMs = clock.now();
        const started = await this.#start(spec).catch((error: unknown) => {
          logger.error(`cannot start ${spec.name}: ${describeError(error)}`);
          return undefined;
        });
        identity = started?.identity;
        ended = started?.exit.then((exit) => exit.signal ?? `code ${exit.code}`);
      }
      if (identity !== undefined && ended !== undefined) {
        this.#note({ name: spec.name, pid: identity.pid, startTicks: identity.startTicks, restarts, startedAtMs });
        const why = await abortable(ended, signal).catch(() => undefined);
        if (why === undefined) return this.#stop(spec, identity, ended);
        logger.warn(`${spec.name} ended (${why}); starting it again`);
      }
      ended = undefined;
      restarts++;
      failures = clock.now() - startedAtMs >= healthyMs ? 1 : failures + 1;
      await clock.sleep(backoffDelayMs(restartPolicy, failures), signal).catch(() => {});
    }
  }

  async #start(spec: SupervisedProcess) {
    const { processes, paths } = this.#effects;
    const { command, args } = await spec.program();
    return await processes.start(command, {
      args,
      log: { kind: "file", path: join(paths.logs, `${spec.name}.log`) },
      // A group of its own: a Ctrl-C meant for `skiff up` must not reach the cluster.
      detached: true,
      ...(spec.env === undefined ? {} : { env: spec.env }),
    });
  }

  /** The end of a process that is not our child can only be looked for. */
  async #watchForEnd(identity: ProcessIdentity): Promise<string> {
    const { processes, clock } = this.#effects;
    const never = new AbortController().signal;
    while (processes.isAlive(identity)) await clock.sleep(pollMs, never);
    return "gone";
  }

  async #stop(spec: SupervisedProcess, identity: ProcessIdentity, ended: Promise<string>): Promise<void> {
    const { processes, clock, logger } = this.#effects;
    processes.signal(identity, "SIGTERM");
    using _timer = clock.after(spec.stopMs, () => {
      logger.warn(`${spec.name} did not end within ${spec.stopMs} ms; killing it`);
      processes.signal(identity, "SIGKILL");
    });
    await ended;
    this.#records.delete(spec.name);
    this.#save();
  }

  #note(record: ProcessRecord): void {
    this.#records.set(record.name, record);
    this.#save();
  }

  #save(): void {
    const records = [...this.#records.values()];
    this.#writing = this.#writing
      .then(() => writeProcessRecords(this.#effects.paths, records))
      .catch((error: unknown) => this.#effects.logger.error(`cannot note processes: ${describeError(error)}`));
  }

  /** Keeps each log file and one older one, of about 10 MiB. Processes append, so that a file may be emptied under them. */
  async #rotateLogs(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { name } of [...this.#specs, { name: "supervisor" }]) {
        const file = join(this.#effects.paths.logs, `${name}.log`);
        const size = await stat(file).then(
          (found) => found.size,
          () => 0,
        );
        if (size <= logLimitBytes) continue;
        await copyFile(file, `${file}.1`)
          .then(() => truncate(file))
          .catch(() => {});
      }
      await this.#effects.clock.sleep(60_000, signal).catch(() => {});
    }
  }
}
