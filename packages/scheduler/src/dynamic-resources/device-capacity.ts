import { type CapacityRequestPolicy, compareQuantities, formatQuantity, parseQuantity } from "@skiff/api";
import type { PooledDevice } from "./pools.ts";
import type { Want } from "./requests.ts";

/** Amounts of capacities, by their names as the device has them. */
export type Amounts = Readonly<Record<string, string>>;

/** What a request takes of a device's capacities; `undefined`: the device cannot give that to anybody. */
export function takenBy({ device, driver }: PooledDevice, { capacity }: Want): Amounts | undefined {
  const capacities = device.capacity ?? {};
  const asked = new Map<string, string>();
  for (const [name, amount] of Object.entries(capacity?.requests ?? {})) {
    const found = [name, name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : `${driver}/${name}`].find(
      (one) => capacities[one] !== undefined,
    );
    if (found === undefined) return undefined;
    asked.set(found, amount);
  }
  const taken: Record<string, string> = {};
  for (const [name, { value, requestPolicy }] of Object.entries(capacities)) {
    const wanted = asked.get(name);
    const amount = wanted === undefined ? (requestPolicy?.default ?? value) : rounded(wanted, requestPolicy);
    if (amount === undefined || compareQuantities(amount, value) > 0) return undefined;
    taken[name] = amount;
  }
  return taken;
}

/** The next amount that the policy allows; `undefined`: there is none. */
function rounded(wanted: string, policy: CapacityRequestPolicy | undefined): string | undefined {
  if (policy?.validRange !== undefined) {
    const { min, max, step } = policy.validRange;
    let amount = wanted;
    if (compareQuantities(wanted, min) < 0) amount = min;
    else if (step !== undefined) amount = onStep(wanted, min, step);
    return max !== undefined && compareQuantities(amount, max) > 0 ? undefined : amount;
  }
  if (policy?.validValues !== undefined) {
    return [...policy.validValues].sort(compareQuantities).find((one) => compareQuantities(one, wanted) >= 0);
  }
  return wanted;
}

/** The least of `min`, `min + step`, `min + 2 step` … that is not below the wanted amount. */
function onStep(wanted: string, min: string, step: string): string {
  const [want, least, by] = [parseQuantity(wanted), parseQuantity(min).nanos, parseQuantity(step).nanos];
  if (by <= 0n) return wanted;
  const steps = (want.nanos - least + by - 1n) / by;
  return formatQuantity({ nanos: least + steps * by, format: want.format });
}

/** Whether so much is left of a device after all that was taken. */
export function isLeft({ device }: PooledDevice, taken: readonly Amounts[], more: Amounts): boolean {
  for (const [name, amount] of Object.entries(more)) {
    const value = device.capacity?.[name]?.value;
    if (value === undefined) return false;
    const sum = taken.reduce(
      (nanos, one) => nanos + parseQuantity(one[name] ?? "0").nanos,
      parseQuantity(amount).nanos,
    );
    if (sum > parseQuantity(value).nanos) return false;
  }
  return true;
}
