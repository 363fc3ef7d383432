import type { ReconcileContext } from "@skiff/control-loop";
import { contentFacts, snapshotFacts, VolumeSnapshotContents, VolumeSnapshots } from "./snapshot-kinds.ts";

/** The driver's name of a snapshot that is ready to be read. Throws while there is none. */
export async function snapshotHandle(
  ref: { readonly namespace: string; readonly name: string },
  driver: string,
  { client, signal }: ReconcileContext,
): Promise<string> {
  const snapshot = snapshotFacts(await client.get(VolumeSnapshots, ref, { signal }));
  if (!snapshot.ready || snapshot.boundContent === undefined) {
    throw new Error(`snapshot ${ref.name} is not Ready`);
  }
  const content = contentFacts(await client.get(VolumeSnapshotContents, { name: snapshot.boundContent }, { signal }));
  if (content.driver !== driver) throw new Error(`snapshot ${ref.name} was not taken by ${driver}`);
  if (content.handle === undefined) throw new Error(`snapshot ${ref.name} has no handle yet`);
  return content.handle;
}
