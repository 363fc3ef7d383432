import { type NumaHint, type NumaSet, numaCount, numaSet, numaSubsets } from "../topology/numa.ts";
import type { PluginDevice } from "./messages.ts";

/** A device of a plugin. */
export interface KnownDevice {
  readonly id: string;
  readonly healthy: boolean;
  /** Absent: the plugin does not say. */
  readonly numa?: readonly number[];
}

interface Resource {
  readonly devices: ReadonlyMap<string, KnownDevice>;
  /** The plugin went then. */
  readonly stoppedAtMs: number | undefined;
}

/** What the node has of a resource. */
export interface DeviceCount {
  readonly capacity: number;
  readonly allocatable: number;
}

/** So long a plugin may be away before its resource is forgotten. */
export const pluginGraceMs = 5 * 60_000;

export const knownDevice = ({ id, health, topology }: PluginDevice): KnownDevice => ({
  id,
  healthy: health === "Healthy",
  ...(topology === undefined ? {} : { numa: topology.nodes.map((node) => node.id) }),
});

/** The devices that plugins tell of, by resource: which there are, which can be used. */
export class DeviceTable {
  readonly #resources = new Map<string, Resource>();
  /** Resources whose plugin did not come back: the node tells of them as none. */
  readonly #gone = new Set<string>();

  update(resource: string, devices: readonly KnownDevice[]): void {
    this.#gone.delete(resource);
    this.#resources.set(resource, {
      devices: new Map(devices.map((device) => [device.id, device])),
      stoppedAtMs: undefined,
    });
  }

  /** The plugin is gone: none of its devices can be used until it is back. */
  stop(resource: string, nowMs: number): void {
    const known = this.#resources.get(resource);
    const devices = [...(known?.devices.values() ?? [])].map((device) => ({ ...device, healthy: false }));
    this.#resources.set(resource, {
      devices: new Map(devices.map((device) => [device.id, device])),
      stoppedAtMs: nowMs,
    });
  }

  /** Forgets what was away for too long. */
  expire(nowMs: number): void {
    for (const [resource, { stoppedAtMs }] of this.#resources) {
      if (stoppedAtMs === undefined || nowMs - stoppedAtMs < pluginGraceMs) continue;
      this.#resources.delete(resource);
      this.#gone.add(resource);
    }
  }

  /** When the next resource is to be forgotten. */
  nextExpiryMs(): number | undefined {
    const times = [...this.#resources.values()].flatMap(({ stoppedAtMs }) =>
      stoppedAtMs === undefined ? [] : [stoppedAtMs + pluginGraceMs],
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether a plugin offers it, or did. */
  has(resource: string): boolean {
    return this.#resources.has(resource);
  }

  names(): readonly string[] {
    return [...this.#resources.keys()];
  }

  devices(resource: string): ReadonlyMap<string, KnownDevice> {
    return this.#resources.get(resource)?.devices ?? new Map();
  }

  healthy(resource: string): readonly string[] {
    return [...this.devices(resource).values()].filter((device) => device.healthy).map(({ id }) => id);
  }

  counts(): ReadonlyMap<string, DeviceCount> {
    const counts = new Map<string, DeviceCount>();
    for (const resource of this.#gone) counts.set(resource, { capacity: 0, allocatable: 0 });
    for (const [resource, { devices }] of this.#resources)
      counts.set(resource, { capacity: devices.size, allocatable: this.healthy(resource).length });
    return counts;
  }

  /** The NUMA nodes that a device is near to; none where the plugin does not say. */
  numaOf(resource: string, id: string): NumaSet {
    return numaSet(this.devices(resource).get(id)?.numa ?? []);
  }

  /**
   * Where so many devices could come from: `available` ones, with all the `reusable` ones among them. `undefined`: the
   * plugin does not say where its devices are.
   */
  hints(
    resource: string,
    wanted: { readonly count: number; readonly available: readonly string[]; readonly reusable: readonly string[] },
    nodes: readonly number[],
  ): readonly NumaHint[] | undefined {
    const all = [...this.devices(resource).values()];
    if (all.every(({ numa }) => numa === undefined)) return undefined;
    const { count, available, reusable } = wanted;
    const near = (id: string, set: NumaSet) => (this.numaOf(resource, id) & set) !== 0;
    const told = reusable.filter((id) => this.devices(resource).get(id)?.numa !== undefined);
    let least = nodes.length;
    const found: NumaSet[] = [];
    for (const set of numaSubsets(nodes)) {
      if (all.filter(({ id }) => near(id, set)).length >= count) least = Math.min(least, numaCount(set));
      if (!told.every((id) => near(id, set))) continue;
      if (told.length + available.filter((id) => near(id, set)).length >= count) found.push(set);
    }
    return found.map((set) => ({ nodes: set, preferred: numaCount(set) === least }));
  }
}
