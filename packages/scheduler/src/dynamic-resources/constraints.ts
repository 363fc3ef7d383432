import type { DeviceAttribute, DeviceConstraint } from "@skiff/api";
import type { PooledDevice } from "./pools.ts";
import type { Want } from "./requests.ts";

/** A device that was chosen, and for what. */
export interface Choice {
  readonly want: Want;
  readonly device: PooledDevice;
}

/** An attribute of a device. Its own driver's may be named with the driver or without. */
export function attributeOf({ driver, device }: PooledDevice, name: string): DeviceAttribute | undefined {
  const attributes = device.attributes ?? {};
  const exact = attributes[name];
  if (exact !== undefined) return exact;
  return name.startsWith(`${driver}/`) ? attributes[name.slice(driver.length + 1)] : undefined;
}

const textOf = ({ string, int, bool, version }: DeviceAttribute): string | undefined =>
  string !== undefined
    ? `s${string}`
    : int !== undefined
      ? `i${int}`
      : bool !== undefined
        ? `b${bool}`
        : version !== undefined
          ? `v${version}`
          : undefined;

const concerns = ({ requests = [] }: DeviceConstraint, { name, requestName }: Want): boolean =>
  requests.length === 0 || requests.includes(name) || requests.includes(requestName);

/** Whether one more device is in keeping with a constraint, given those chosen before. */
export function holds(constraint: DeviceConstraint, chosen: readonly Choice[], next: Choice): boolean {
  if (!concerns(constraint, next.want)) return true;
  const name = constraint.matchAttribute ?? constraint.distinctAttribute;
  if (name === undefined) return false;
  const read = ({ device }: Choice) => {
    const attribute = attributeOf(device, name);
    return attribute === undefined ? undefined : textOf(attribute);
  };
  const value = read(next);
  if (value === undefined) return false;
  const others = chosen.filter((one) => concerns(constraint, one.want)).map(read);
  return constraint.matchAttribute === undefined ? !others.includes(value) : others.every((one) => one === value);
}
