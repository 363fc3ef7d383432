import type { Clock, Random } from "@skiff/base";
import type { Store } from "@skiff/store";
import type { WatchCache } from "../cache/watch-cache.ts";
import type { AdmissionChain } from "./admission-chain.ts";
import type { LeasePool } from "./lease-pool.ts";

/** What all resources' storage works with. */
export interface StorageEnvironment {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly admission: AdmissionChain;
  readonly leases: LeasePool;
}
