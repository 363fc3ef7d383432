import type { EtcdStore, EtcdStoreOptions } from "./etcd-store.ts";

/**
 * Connects to an etcd v3. Rejects with `StoreUnavailableError` when none of its endpoints answers. What it takes is loaded only
 * here: a store of this process has no use for it.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const { connectEtcdStore } = await import("./etcd-store.ts");
  return connectEtcdStore(options);
}
