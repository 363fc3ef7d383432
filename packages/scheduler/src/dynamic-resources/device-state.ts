import { type DynamicResourceClaim, ResourceClaims, type ResourceSlice, ResourceSlices } from "@skiff/api";
import type { ClusterView } from "../framework.ts";
import type { DevicesInUse } from "./allocate.ts";
import type { Amounts } from "./device-capacity.ts";
import { deviceId, newestSlices } from "./pools.ts";

/**
 * Which devices there are and which are in use: what the caches say, and beyond that what was decided and has not come back
 * yet.
 */
export class DeviceState {
  readonly #cluster: ClusterView;
  /** Claims whose devices were chosen, and are being written, by uid. */
  readonly #inFlight = new Map<string, DynamicResourceClaim>();
  /** Claims as they were written, until the cache has them. */
  readonly #written = new Map<string, DynamicResourceClaim>();
  #changes = 0;
  #inUse: { readonly of: string; readonly value: DevicesInUse } | undefined;
  #slices: { readonly of: number; readonly value: readonly (readonly ResourceSlice[])[] } | undefined;

  constructor(cluster: ClusterView) {
    this.#cluster = cluster;
  }

  /** A claim, as new as it is known. */
  claim(name: string, namespace: string): DynamicResourceClaim | undefined {
    const known = this.#cluster.informer(ResourceClaims).get(name, namespace);
    const written = known === undefined ? undefined : this.#written.get(known.metadata.uid);
    return written !== undefined && known !== undefined && this.#isNewer(written, known) ? written : known;
  }

  isInFlight({ metadata }: DynamicResourceClaim): boolean {
    return this.#inFlight.has(metadata.uid);
  }

  /** Counts the devices of a claim as taken before it is written. */
  begin(claim: DynamicResourceClaim): void {
    this.#changes++;
    this.#inFlight.set(claim.metadata.uid, claim);
  }

  /** The claim was written, or it never will be. */
  end(uid: string, written?: DynamicResourceClaim): void {
    this.#changes++;
    this.#inFlight.delete(uid);
    if (written !== undefined) this.#written.set(written.metadata.uid, written);
  }

  /** The newest slices of each pool. */
  get slices(): readonly (readonly ResourceSlice[])[] {
    const informer = this.#cluster.informer(ResourceSlices);
    if (this.#slices?.of !== informer.revision)
      this.#slices = { of: informer.revision, value: newestSlices(informer.list()) };
    return this.#slices.value;
  }

  get inUse(): DevicesInUse {
    const of = `${this.#cluster.informer(ResourceClaims).revision} ${this.#changes}`;
    if (this.#inUse?.of !== of) this.#inUse = { of, value: this.#count() };
    return this.#inUse.value;
  }

  #isNewer(written: DynamicResourceClaim, known: DynamicResourceClaim): boolean {
    if (known.metadata.uid !== written.metadata.uid) return false;
    return Number(known.metadata.resourceVersion) < Number(written.metadata.resourceVersion);
  }

  /** The cache has it, or something newer, or has seen it come and go. */
  #isOutdated(written: DynamicResourceClaim): boolean {
    const informer = this.#cluster.informer(ResourceClaims);
    const { name, namespace, uid, resourceVersion } = written.metadata;
    const known = informer.get(name, namespace);
    if (known?.metadata.uid === uid) return !this.#isNewer(written, known);
    return informer.revision >= Number(resourceVersion);
  }

  #count(): DevicesInUse {
    const informer = this.#cluster.informer(ResourceClaims);
    for (const [uid, claim] of this.#written) if (this.#isOutdated(claim)) this.#written.delete(uid);
    const whole = new Set<string>();
    const shared = new Map<string, Amounts[]>();
    const claims = new Map(informer.list().map((claim) => [claim.metadata.uid, claim]));
    for (const [uid, claim] of [...this.#written, ...this.#inFlight]) claims.set(uid, claim);
    for (const claim of claims.values()) {
      for (const result of claim.status?.allocation?.devices?.results ?? []) {
        if (result.adminAccess === true) continue;
        const id = deviceId(result.driver, result.pool, result.device);
        if (result.shareID === undefined) whole.add(id);
        else shared.set(id, [...(shared.get(id) ?? []), result.consumedCapacity ?? {}]);
      }
    }
    return { whole, shared };
  }
}

const states = new WeakMap<ClusterView, DeviceState>();

/** The one state of a cluster: schedulers of all profiles choose among the same devices. */
export function deviceStateOf(cluster: ClusterView): DeviceState {
  const state = states.get(cluster) ?? new DeviceState(cluster);
  states.set(cluster, state);
  return state;
}
