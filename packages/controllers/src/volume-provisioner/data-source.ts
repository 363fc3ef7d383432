import { type PersistentVolumeClaim, PersistentVolumeClaims, PersistentVolumes } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import type { VolumeSource } from "../storage-driver.ts";
import { readySnapshot } from "../volume-snapshot/snapshot-source.ts";
import { placeOf } from "./places.ts";

/** The driver's name of what a claim wants its data from; `undefined` when it wants none. Throws while it cannot be had. */
export async function findSource(
  claim: PersistentVolumeClaim,
  driver: string,
  context: ReconcileContext,
): Promise<VolumeSource | undefined> {
  const source = claim.spec.dataSourceRef ?? claim.spec.dataSource;
  if (source === undefined) return undefined;
  const { namespace } = claim.metadata;
  const { apiGroup = "", kind, name } = source;
  if (apiGroup === "" && kind === "PersistentVolumeClaim") {
    return { kind: "volume", ...(await claimVolume({ namespace, name }, driver, context)) };
  }
  if (apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot") {
    return { kind: "snapshot", ...(await readySnapshot({ namespace, name }, driver, context)) };
  }
  throw new Error(`unsupported data source ${kind} of group "${apiGroup}": a volume populator has to make this volume`);
}

/** The volume of another claim of the same namespace. */
async function claimVolume(
  ref: { readonly namespace: string; readonly name: string },
  driver: string,
  { client, signal }: ReconcileContext,
): Promise<Omit<VolumeSource, "kind">> {
  const claim = await client.get(PersistentVolumeClaims, ref, { signal });
  if (claim.status?.phase !== "Bound" || !claim.spec.volumeName) {
    throw new Error(`the PVC DataSource ${ref.name} is not bound`);
  }
  const volume = await client.get(PersistentVolumes, { name: claim.spec.volumeName }, { signal });
  if (volume.spec.csi?.driver === driver) return { id: volume.spec.csi.volumeHandle, at: placeOf(volume) };
  throw new Error(`the PVC DataSource ${ref.name} is not provisioned by ${driver}`);
}
