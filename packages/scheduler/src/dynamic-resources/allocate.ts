import type { DeviceClass, DynamicResourceClaim } from "@skiff/api";
import { type Choice, holds } from "./constraints.ts";
import { Counters } from "./counters.ts";
import { type Amounts, isLeft, takenBy } from "./device-capacity.ts";
import type { Pool, PooledDevice } from "./pools.ts";
import { type Want, waysOf } from "./requests.ts";
import type { SelectorMatch } from "./selectors.ts";
import { isRepelled } from "./taints.ts";

/** A device for a claim. `taken`: what is taken of one that several may share. */
export interface Allotment extends Choice {
  readonly taken?: Amounts;
}

/** Which devices are in use, and what is taken of those that may be shared. */
export interface DevicesInUse {
  readonly whole: ReadonlySet<string>;
  readonly shared: ReadonlyMap<string, readonly Amounts[]>;
}

export interface AllocationInput {
  readonly claims: readonly DynamicResourceClaim[];
  readonly pools: readonly Pool[];
  readonly inUse: DevicesInUse;
  readonly classOf: (name: string) => DeviceClass | undefined;
  /** Whether a device is what the class and the request ask for. Throws where that cannot be said. */
  readonly matches: SelectorMatch;
}

/** What comes of a search on one node. */
export type AllocationOutcome =
  /** Devices of each claim, in the order of the claims. */
  | { readonly kind: "allocated"; readonly allotments: readonly (readonly Allotment[])[] }
  | { readonly kind: "none"; readonly reason: string };

/** A claim has no more devices than that. */
const mostDevices = 32;
/** So many steps may be tried: the search is exhaustive, and nobody else is scheduled meanwhile. */
const mostSteps = 50_000;

export const noneLeft = "cannot allocate all claims";
export const tookTooLong = "timed out trying to allocate devices";

interface Position {
  readonly claim: number;
  readonly request: number;
}

/**
 * Searches devices for all requests of all claims: the first way that works, request by request, device by device, and back
 * where it does not go on. Devices of one request are taken in order, so that no set of them is tried twice.
 */
export function allocate(input: AllocationInput): AllocationOutcome {
  const search = new Search(input);
  try {
    if (search.request({ claim: 0, request: 0 })) return { kind: "allocated", allotments: search.allotments };
  } catch (error) {
    if (error instanceof SearchEnded) return { kind: "none", reason: error.message };
    throw error;
  }
  const invalid = input.pools.some((pool) => pool.invalid);
  return { kind: "none", reason: invalid ? "invalid resource pools were encountered" : noneLeft };
}

/** The search cannot go on, on this node. */
class SearchEnded extends Error {
  override readonly name = "SearchEnded";
}

class Search {
  readonly allotments: Allotment[][];
  readonly #input: AllocationInput;
  readonly #devices: readonly PooledDevice[];
  readonly #counters: ReadonlyMap<Pool, Counters>;
  readonly #selectable = new Map<string, boolean>();
  #steps = 0;

  constructor(input: AllocationInput) {
    this.#input = input;
    this.allotments = input.claims.map(() => []);
    this.#devices = input.pools.filter((pool) => !pool.incomplete && !pool.invalid).flatMap((pool) => pool.devices);
    const { whole, shared } = input.inUse;
    this.#counters = new Map(
      input.pools
        .filter(({ counters }) => counters.size > 0)
        .map((pool) => [pool, new Counters(pool, ({ id }) => whole.has(id) || shared.has(id))] as const),
    );
  }

  /** True once this request and all after it have their devices. */
  request(at: Position): boolean {
    const claim = this.#input.claims[at.claim];
    if (claim === undefined) return true;
    const request = claim.spec.devices?.requests?.[at.request];
    if (request === undefined) return this.request({ claim: at.claim + 1, request: 0 });
    const next = () => this.request({ claim: at.claim, request: at.request + 1 });
    return waysOf(request).some((want) => this.#want(claim, at.claim, want, next));
  }

  #want(claim: DynamicResourceClaim, index: number, want: Want, next: () => boolean): boolean {
    if (want.count !== "all") return this.#some({ claim, index, want, next }, want.count, 0);
    const all = this.#all(claim, want);
    return all.length > 0 && this.#every({ claim, index, want, next }, all, 0);
  }

  /** Every device that matches, none of which may be missing. */
  #all(claim: DynamicResourceClaim, want: Want): readonly PooledDevice[] {
    const { name, namespace } = claim.metadata;
    for (const pool of this.#input.pools) {
      const state = pool.incomplete ? "being updated" : pool.invalid ? "invalid" : undefined;
      if (state === undefined) continue;
      const which = `resource pool ${pool.driver}/${pool.name}`;
      throw new SearchEnded(
        `claim ${namespace}/${name}, request ${want.name}: asks for all devices, but ${which} is currently ${state}`,
      );
    }
    return this.#devices.filter((device) => this.#isSelectable(claim, want, device));
  }

  #every(of: Wanting, devices: readonly PooledDevice[], at: number): boolean {
    const device = devices[at];
    if (device === undefined) return of.next();
    return this.#with(of, device, () => this.#every(of, devices, at + 1));
  }

  #some(of: Wanting, missing: number, from: number): boolean {
    if (missing === 0) return of.next();
    if ((this.allotments[of.index]?.length ?? 0) + missing > mostDevices) return false;
    for (let at = from; at < this.#devices.length; at++) {
      const device = this.#devices[at];
      if (device === undefined || !this.#isSelectable(of.claim, of.want, device)) continue;
      if (this.#with(of, device, () => this.#some(of, missing - 1, at + 1))) return true;
    }
    return false;
  }

  /** Whether it goes on with this device; takes it back where not. */
  #with({ claim, index, want }: Wanting, device: PooledDevice, goOn: () => boolean): boolean {
    if (++this.#steps > mostSteps) throw new SearchEnded(tookTooLong);
    const mine = this.allotments[index] ?? [];
    const allotment = this.#allot(mine, want, device);
    if (allotment === undefined) return false;
    const constraints = claim.spec.devices?.constraints ?? [];
    if (!constraints.every((constraint) => holds(constraint, mine, allotment))) return false;
    // What several share is counted once.
    const counted = this.#isChosen(device) || this.#input.inUse.shared.has(device.id);
    const counters = want.adminAccess || counted ? undefined : this.#counters.get(device.pool);
    if (counters?.take(device) === false) return false;
    mine.push(allotment);
    if (goOn()) return true;
    mine.pop();
    counters?.giveBack(device);
    return false;
  }

  /** The device for this request, if it is to be had. */
  #allot(mine: readonly Allotment[], want: Want, device: PooledDevice): Allotment | undefined {
    const { whole, shared } = this.#input.inUse;
    const { id } = device;
    const taken = takenBy(device, want);
    if (taken === undefined) return undefined;
    // Who administers a device may look at one that others use, but not twice for one claim.
    if (want.adminAccess) return mine.some((one) => one.device.id === id) ? undefined : { want, device };
    if (device.device.allowMultipleAllocations !== true)
      return whole.has(id) || this.#isChosen(device) ? undefined : { want, device };
    const chosen = this.allotments.flat().flatMap((one) => (one.device.id === id && one.taken ? [one.taken] : []));
    return isLeft(device, [...(shared.get(id) ?? []), ...chosen], taken) ? { want, device, taken } : undefined;
  }

  #isChosen({ id }: PooledDevice): boolean {
    return this.allotments.some((list) => list.some((one) => one.device.id === id && !one.want.adminAccess));
  }

  #isSelectable(claim: DynamicResourceClaim, want: Want, device: PooledDevice): boolean {
    const key = `${claim.metadata.uid} ${want.name} ${device.id}`;
    const known = this.#selectable.get(key);
    if (known !== undefined) return known;
    const { classOf, matches } = this.#input;
    const deviceClass = classOf(want.className);
    const selectable =
      deviceClass !== undefined &&
      !isRepelled(device.device.taints, want.tolerations) &&
      matches(device, deviceClass.spec.selectors ?? [], `class ${deviceClass.metadata.name}`) &&
      matches(device, want.selectors, `claim ${claim.metadata.namespace}/${claim.metadata.name}`);
    this.#selectable.set(key, selectable);
    return selectable;
  }
}

interface Wanting {
  readonly claim: DynamicResourceClaim;
  readonly index: number;
  readonly want: Want;
  readonly next: () => boolean;
}
