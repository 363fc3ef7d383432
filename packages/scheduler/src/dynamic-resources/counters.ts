import { parseQuantity } from "@skiff/api";
import type { Pool, PooledDevice } from "./pools.ts";

/** What is left of the counters that devices of a pool share. */
export class Counters {
  readonly #left = new Map<string, bigint>();

  /** `inUse` says of each device of the pool whether somebody has it. */
  constructor(pool: Pool, inUse: (device: PooledDevice) => boolean) {
    for (const [set, counters] of pool.counters)
      for (const [name, value] of Object.entries(counters))
        this.#left.set(`${set}/${name}`, parseQuantity(value).nanos);
    for (const device of pool.all) if (inUse(device)) this.#change(device, -1n);
  }

  /** Takes what a device needs; false where that is not there: nothing is taken then. */
  take(device: PooledDevice): boolean {
    for (const [key, nanos] of needsOf(device)) if ((this.#left.get(key) ?? -1n) < nanos) return false;
    this.#change(device, -1n);
    return true;
  }

  giveBack(device: PooledDevice): void {
    this.#change(device, 1n);
  }

  #change(device: PooledDevice, sign: bigint): void {
    for (const [key, nanos] of needsOf(device)) this.#left.set(key, (this.#left.get(key) ?? 0n) + sign * nanos);
  }
}

const needsOf = ({ device }: PooledDevice): readonly (readonly [key: string, nanos: bigint])[] =>
  (device.consumesCounters ?? []).flatMap(({ counterSet, counters }) =>
    Object.entries(counters).map(([name, { value }]) => [`${counterSet}/${name}`, parseQuantity(value).nanos] as const),
  );
