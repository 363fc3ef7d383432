import { type Device, type Node, nodeSelectorMatches, type ResourceSlice } from "@skiff/api";

/** A device and where it comes from. */
export interface PooledDevice {
  /** `DRIVER/POOL/DEVICE`: no two devices have the same. */
  readonly id: string;
  readonly driver: string;
  readonly pool: Pool;
  readonly device: Device;
  /** Of its slice, or its own. Absent: every node has access to it. */
  readonly slice: ResourceSlice;
}

/** All devices of a driver that belong together, as far as one node has access to them. */
export interface Pool {
  readonly driver: string;
  readonly name: string;
  /** Some of its slices are not there yet: the driver is changing them. */
  readonly incomplete: boolean;
  /** Why nothing can be taken from it. */
  readonly invalid: boolean;
  readonly devices: readonly PooledDevice[];
  /** Every device of the pool, also those that the node has no access to. */
  readonly all: readonly PooledDevice[];
  /** What devices of the pool share, by set and counter. */
  readonly counters: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export const deviceId = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`;

interface Reach {
  readonly nodeName?: string | undefined;
  readonly allNodes?: boolean | undefined;
  readonly nodeSelector?: ResourceSlice["spec"]["nodeSelector"];
}

/** Whether a node has access to what a slice or a device says of itself. */
function reaches({ nodeName, allNodes, nodeSelector }: Reach, node: Node): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  if (allNodes === true) return true;
  return nodeSelector !== undefined && nodeSelectorMatches(nodeSelector, node);
}

const isOwn = ({ spec }: ResourceSlice): boolean => Boolean(spec.nodeName);

/** The newest generation of each pool. Slices that an older one left are not looked at. */
export function newestSlices(slices: readonly ResourceSlice[]): readonly (readonly ResourceSlice[])[] {
  const pools = new Map<string, ResourceSlice[]>();
  for (const slice of slices) {
    const { driver, pool } = slice.spec;
    const key = `${driver}/${pool.name}`;
    const held = pools.get(key);
    const generation = held?.[0]?.spec.pool.generation;
    if (held === undefined || generation === undefined || pool.generation > generation) pools.set(key, [slice]);
    else if (pool.generation === generation) held.push(slice);
  }
  // What a node has for itself comes first.
  return [...pools.values()].sort((a, b) => Number(b.some(isOwn)) - Number(a.some(isOwn)));
}

/** The pools that a node has access to, of slices as `newestSlices` gives them. */
export function poolsOf(node: Node, newest: readonly (readonly ResourceSlice[])[]): readonly Pool[] {
  return newest.flatMap((slices) => {
    const pool = poolOf(node, slices);
    return pool.devices.length === 0 ? [] : [pool];
  });
}

function poolOf(node: Node, slices: readonly ResourceSlice[]): Pool {
  const [first] = slices;
  const driver = first?.spec.driver ?? "";
  const name = first?.spec.pool.name ?? "";
  const all: PooledDevice[] = [];
  const devices: PooledDevice[] = [];
  const counters = new Map<string, Record<string, string>>();
  const seen = new Set<string>();
  let invalid = false;
  const pool: Pool = {
    driver,
    name,
    incomplete: slices.length !== (first?.spec.pool.resourceSliceCount ?? 0),
    get invalid() {
      return invalid;
    },
    devices,
    all,
    counters,
  };
  for (const slice of slices) {
    const { spec } = slice;
    for (const { name: set, counters: values } of spec.sharedCounters ?? []) {
      const amounts = Object.fromEntries(Object.entries(values).map(([key, { value }]) => [key, value]));
      counters.set(set, { ...counters.get(set), ...amounts });
    }
    const whole = reaches(spec, node);
    for (const device of spec.devices ?? []) {
      const one = { id: deviceId(driver, name, device.name), driver, pool, device, slice };
      if (seen.has(device.name)) invalid = true;
      seen.add(device.name);
      all.push(one);
      if (spec.perDeviceNodeSelection === true ? reaches(device, node) : whole) devices.push(one);
    }
  }
  return pool;
}
