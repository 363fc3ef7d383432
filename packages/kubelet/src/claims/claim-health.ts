import type { Clock, Timer } from "@skiff/base";
import type { ReportedHealth } from "./health-messages.ts";

/** What a driver said of a device, in the words of a pod's status. */
export interface DeviceHealth {
  readonly health: "Healthy" | "Unhealthy" | "Unknown";
  readonly message: string;
}

interface Told extends DeviceHealth {
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

/** How devices of claims are, by their drivers' word. A word that is not repeated in time counts no more. */
export class ClaimHealth implements Disposable {
  readonly #clock: Clock;
  readonly #onChange: (driver: string) => void;
  readonly #drivers = new Map<string, Map<string, Told>>();
  #timer: Timer | undefined;

  constructor(clock: Clock, onChange: (driver: string) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  /** A driver's report. Devices that it leaves out keep their health for as long as it was to count. */
  take(driver: string, devices: readonly ReportedHealth[]): void {
    const now = this.#clock.monotonic();
    const known = this.#drivers.get(driver) ?? new Map<string, Told>();
    this.#drivers.set(driver, known);
    let changed = false;
    for (const { device, health, message, timeoutSeconds } of devices) {
      const key = keyOf(device?.pool ?? "", device?.name ?? "");
      const before = this.#counting(known.get(key));
      const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : defaultTimeoutMs;
      const told = { health: words[health] ?? "Unknown", message: shortened(message), untilMs: now + timeoutMs };
      known.set(key, told);
      changed ||= before.health !== told.health || before.message !== told.message;
    }
    this.#watchEnds();
    if (changed) this.#onChange(driver);
  }

  /** Nobody speaks for the driver any more. */
  clear(driver: string): void {
    if (this.#drivers.delete(driver)) this.#onChange(driver);
    this.#watchEnds();
  }

  of(driver: string, pool: string, device: string): DeviceHealth {
    return this.#counting(this.#drivers.get(driver)?.get(keyOf(pool, device)));
  }

  #counting(told: Told | undefined): DeviceHealth {
    return told === undefined || this.#clock.monotonic() > told.untilMs ? unknown : told;
  }

  /** Tells of words that have ceased to count, when the next one does. */
  #watchEnds(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const ends = [...this.#drivers.values()].flatMap((known) => [...known.values()].map(({ untilMs }) => untilMs));
    if (ends.length === 0) return;
    const delayMs = Math.max(0, Math.min(...ends) - this.#clock.monotonic()) + 1;
    this.#timer = this.#clock.after(delayMs, () => this.#forgetEnded());
  }

  #forgetEnded(): void {
    const now = this.#clock.monotonic();
    const changed = new Set<string>();
    for (const [driver, known] of this.#drivers)
      for (const [key, { untilMs }] of known) if (now > untilMs && known.delete(key)) changed.add(driver);
    this.#watchEnds();
    for (const driver of changed) this.#onChange(driver);
  }
}
