import { type Clock, type Logger, systemRandom } from "@skiff/base";
import { openEtcdStore, openLmdbStore, type Store } from "@skiff/store";
import type { ClusterPaths } from "../settings/paths.ts";
import type { ClusterSettings } from "../settings/settings.ts";
import { type Datastore, datastoreTls } from "./datastore.ts";

/** Opens what keeps a cluster's state: its etcd where it has one, the embedded store otherwise. */
export async function openStore(
  settings: Pick<ClusterSettings, "datastore">,
  paths: Pick<ClusterPaths, "store">,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Store> {
  const { datastore } = settings;
  if (datastore === undefined) return openLmdbStore({ folder: paths.store, clock, logger });
  return openDatastore(datastore, clock);
}

/** Connects to a cluster's etcd. */
export async function openDatastore(datastore: Datastore, clock: Clock): Promise<Store> {
  const { endpoints, prefix } = datastore;
  return openEtcdStore({ endpoints, prefix, tls: await datastoreTls(datastore), clock, random: systemRandom });
}
