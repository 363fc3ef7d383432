import { type Clock, describeError, type Logger, type Timer } from "@skiff/base";
import type { ReportedHealth } from "./health-messages.ts";
import { readHealthState, type ToldHealth, writeHealthState } from "./health-state.ts";

/** What a driver said of a device, in the words of a pod's status. */
export interface DeviceHealth {
  readonly health: "Healthy" | "Unhealthy" | "Unknown";
  readonly message: string;
}

interface Told extends ToldHealth {
  /** Until then (monotonic) it counts, if the driver does not say it again. */
  readonly untilMs: number;
}

const words = ["Unknown", "Healthy", "Unhealthy"] as const;
const unknown: DeviceHealth = { health: "Unknown", message: "" };
const defaultTimeoutMs = 30_000;
const longestMessage = 1024;

const shortened = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage - 3)}...` : message;

const keyOf = (pool: string, device: string): string => `${pool}/${device}`;

export interface ClaimHealthOptions {
  /** Where it is kept over a restart. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A driver's devices are not as they were. */
  readonly onChange: (driver: string) => void;
}

/** How devices of claims are, by their drivers' word. A word that is not repeated in time counts no more. */
export class ClaimHealth implements AsyncDisposable {
  readonly #options: ClaimHealthOptions;
  readonly #drivers = new Map<string, Map<string, Told>>();
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: ClaimHealthOptions) {
    this.#options = options;
  }

  /** With what was said before a restart, as far as it counts still. What cannot be read is forgotten. */
  static async start(options: ClaimHealthOptions): Promise<ClaimHealth> {
    const health = new ClaimHealth(options);
    const { path, clock, logger } = options;
    try {
      for (const [driver, devices] of await readHealthState(path)) {
        const known = [...devices].map(([key, told]): [string, Told] => {
          // A clock that was set back would have it count for longer than it was to.
          const restMs = Math.min(told.timeoutMs, told.atMs + told.timeoutMs - clock.now());
          return [key, { ...told, untilMs: clock.monotonic() + restMs }];
        });
        health.#drivers.set(driver, new Map(known.filter(([, { untilMs }]) => untilMs >= clock.monotonic())));
      }
    } catch (error) {
      logger.warn(`health of devices of claims: ${describeError(error)}`);
    }
    health.#watchEnds();
    return health;
  }

  /** Resolves when the file has the newest state. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
  }

  /** A driver's report. Devices that it leaves out keep their health for as long as it was to count. */
  take(driver: string, devices: readonly ReportedHealth[]): void {
    const { clock } = this.#options;
    const [now, atMs] = [clock.monotonic(), clock.now()];
    const known = this.#drivers.get(driver) ?? new Map<string, Told>();
    this.#drivers.set(driver, known);
    let changed = false;
    for (const { device, health, message, timeoutSeconds } of devices) {
      const names = { pool: device?.pool ?? "", device: device?.name ?? "" };
      const key = keyOf(names.pool, names.device);
      const before = this.#counting(known.get(key));
      const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : defaultTimeoutMs;
      const said = { health: words[health] ?? "Unknown", message: shortened(message) };
      changed ||= before.health !== said.health || before.message !== said.message;
      changed ||= known.get(key)?.timeoutMs !== timeoutMs;
      known.set(key, { ...names, ...said, atMs, timeoutMs, untilMs: now + timeoutMs });
    }
    this.#watchEnds();
    if (changed) this.#changed(driver);
  }

  /** Nobody speaks for the driver any more. */
  clear(driver: string): void {
    if (this.#drivers.delete(driver)) this.#changed(driver);
    this.#watchEnds();
  }

  of(driver: string, pool: string, device: string): DeviceHealth {
    return this.#counting(this.#drivers.get(driver)?.get(keyOf(pool, device)));
  }

  #counting(told: Told | undefined): DeviceHealth {
    return told === undefined || this.#options.clock.monotonic() > told.untilMs ? unknown : told;
  }

  #changed(driver: string): void {
    const { path, logger, onChange } = this.#options;
    onChange(driver);
    this.#writing = this.#writing
      .then(() => writeHealthState(path, this.#drivers))
      .catch((error: unknown) => logger.warn(`health of devices of claims: ${describeError(error)}`));
  }

  /** Tells of words that have ceased to count, when the next one does. */
  #watchEnds(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#options;
    const ends = [...this.#drivers.values()].flatMap((known) => [...known.values()].map(({ untilMs }) => untilMs));
    if (ends.length === 0) return;
    const delayMs = Math.max(0, Math.min(...ends) - clock.monotonic()) + 1;
    this.#timer = clock.after(delayMs, () => this.#forgetEnded());
  }

  #forgetEnded(): void {
    const now = this.#options.clock.monotonic();
    const changed = new Set<string>();
    for (const [driver, known] of this.#drivers)
      for (const [key, { untilMs }] of known) if (now > untilMs && known.delete(key)) changed.add(driver);
    this.#watchEnds();
    for (const driver of changed) this.#changed(driver);
  }
}
