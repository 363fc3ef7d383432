import { type PersistentVolumeClaim, PersistentVolumeClaims, PersistentVolumes } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import type { WantedVolume } from "../storage-driver.ts";
import { snapshotHandle } from "../volume-snapshot/snapshot-source.ts";

/** The driver's name of what a claim wants its data from; `undefined` when it wants none. Throws while it cannot be had. */
export async function findSource(
  claim: PersistentVolumeClaim,
  driver: string,
  context: ReconcileContext,
): Promise<WantedVolume["source"]> {
  const source = claim.spec.dataSourceRef ?? claim.spec.dataSource;
  if (source === undefined) return undefined;
  const { namespace } = claim.metadata;
  const { apiGroup = "", kind, name } = source;
  if (apiGroup === "" && kind === "PersistentVolumeClaim") {
    return { kind: "volume", id: await claimHandle({ namespace, name }, driver, context) };
  }
  if (apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot") {
    return { kind: "snapshot", id: await snapshotHandle({ namespace, name }, driver, context) };
  }
  throw new Error(`unsupported data source ${kind} of group "${apiGroup}": a volume populator has to make this volume`);
}

/** The volume of another claim of the same namespace. */
async function claimHandle(
  ref: { readonly namespace: string; readonly name: string },
  driver: string,
  { client, signal }: ReconcileContext,
): Promise<string> {
  const claim = await client.get(PersistentVolumeClaims, ref, { signal });
  if (claim.status?.phase !== "Bound" || !claim.spec.volumeName) {
    throw new Error(`the PVC DataSource ${ref.name} is not bound`);
  }
  const volume = await client.get(PersistentVolumes, { name: claim.spec.volumeName }, { signal });
  if (volume.spec.csi?.driver === driver) return volume.spec.csi.volumeHandle;
  throw new Error(`the PVC DataSource ${ref.name} is not provisioned by ${driver}`);
}
