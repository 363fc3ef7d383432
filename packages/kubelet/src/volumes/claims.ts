import { PersistentVolumeClaims, PersistentVolumes, type Pod, type Volume } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { Client } from "@skiff/client";
import { type VolumeSpec, VolumeUnresolved } from "./volume-plugin.ts";

/** Names of the volumes that a pod's containers mount (or read variables from), and of those they have as devices. */
export function volumeUses(pod: Pod): {
  readonly mounted: ReadonlySet<string>;
  readonly asDevice: ReadonlySet<string>;
} {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...containers, ...initContainers, ...ephemeralContainers];
  const read = all.flatMap((one) => one.env ?? []).map(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName ?? "");
  return {
    mounted: new Set([...all.flatMap((one) => one.volumeMounts ?? []).map((mount) => mount.name), ...read]),
    asDevice: new Set(all.flatMap((one) => one.volumeDevices ?? []).map((device) => device.name)),
  };
}

/**
 * Finds what a volume of a pod is, following its claim to the PersistentVolume. Throws `VolumeUnresolved` where that cannot
 * be done yet.
 */
export async function resolveVolume(
  client: Client,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<VolumeSpec> {
  const own = volume.ephemeral !== undefined;
  const claimName = own ? `${pod.metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName;
  if (claimName === undefined) return { name: volume.name, volume, readonly: false, mode: "Filesystem" };
  try {
    return await followClaim(client, pod, { volume, claimName, own, signal });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const who = `${pod.metadata.namespace}/${claimName}`;
    throw new VolumeUnresolved(`error processing PVC ${who}: ${describeError(error)}`);
  }
}

async function followClaim(
  client: Client,
  pod: Pod,
  wanted: {
    readonly volume: Volume;
    readonly claimName: string;
    /** The claim was made for this pod. */
    readonly own: boolean;
    readonly signal: AbortSignal;
  },
): Promise<VolumeSpec> {
  const { volume, claimName, signal } = wanted;
  const { namespace } = pod.metadata;
  const fetched = (what: string) => (error: unknown) => {
    if (isAbort(error, signal)) throw error;
    throw new VolumeUnresolved(`failed to fetch ${what} from API server: ${describeError(error)}`);
  };
  const claim = await client
    .get(PersistentVolumeClaims, { namespace, name: claimName }, { signal })
    .catch(fetched("PVC"));
  if (wanted.own && !isOwnedBy(claim, pod))
    throw new VolumeUnresolved(
      `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    );
  if (claim.metadata.deletionTimestamp !== undefined) throw new VolumeUnresolved("PVC is being deleted");
  if (claim.status?.phase !== "Bound") throw new VolumeUnresolved("PVC is not bound");
  const name = claim.spec.volumeName ?? "";
  if (name === "") throw new VolumeUnresolved("PVC has empty pvc.Spec.VolumeName");
  const persistentVolume = await client.get(PersistentVolumes, { name }, { signal }).catch(fetched(`PV ${name}`));
  const { claimRef, volumeMode } = persistentVolume.spec;
  if (claimRef === undefined)
    throw new VolumeUnresolved(
      `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    );
  if (claimRef.uid !== claim.metadata.uid)
    throw new VolumeUnresolved(
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${claimRef.uid ?? ""} does not point to claim.UID ${claim.metadata.uid}`,
    );
  const mode = volumeMode === "Block" ? "Block" : "Filesystem";
  checkUse(pod, volume.name, mode);
  const readonly = volume.persistentVolumeClaim?.readOnly === true;
  return { name, volume, claimed: { claim, persistentVolume }, readonly, mode };
}

const isOwnedBy = (claim: { readonly metadata: Pod["metadata"] }, pod: Pod): boolean =>
  (claim.metadata.ownerReferences ?? []).some((one) => one.controller === true && one.uid === pod.metadata.uid);

function checkUse(pod: Pod, name: string, mode: VolumeSpec["mode"]): void {
  const { mounted, asDevice } = volumeUses(pod);
  if (mounted.has(name) && mode !== "Filesystem")
    throw new VolumeUnresolved(`volume ${name} has volumeMode ${mode}, but is specified in volumeMounts`);
  if (asDevice.has(name) && mode !== "Block")
    throw new VolumeUnresolved(`volume ${name} has volumeMode ${mode}, but is specified in volumeDevices`);
}
