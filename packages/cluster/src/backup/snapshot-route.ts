import type { PathRoute } from "@skiff/apiserver";
import type { EmbeddedStore, Store } from "@skiff/store";
import { newSnapshotFolder, snapshotPath } from "./snapshot-folder.ts";

const isEmbedded = (store: Store): store is EmbeddedStore => !store.isShared;

/** Lets an administrator's command on this machine have a copy of the embedded store; nothing for one that etcd keeps. */
export function snapshotRoutes(store: Store, root: string): readonly PathRoute[] {
  if (!isEmbedded(store)) return [];
  return [
    {
      path: snapshotPath,
      match: "exact",
      isUnlisted: true,
      async handle(exchange) {
        if (exchange.method !== "POST") {
          exchange.respond({ status: 405, contentType: "text/plain", body: "POST it" });
          return;
        }
        const folder = await newSnapshotFolder(root);
        await store.snapshot(folder);
        exchange.respond({ status: 200, contentType: "application/json", body: JSON.stringify({ folder }) });
      },
    },
  ];
}
