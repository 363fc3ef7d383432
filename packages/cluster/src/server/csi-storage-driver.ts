import type { Clock } from "@skiff/base";
import type { Segments, StorageDriver, TakenSnapshot, WantedVolume } from "@skiff/controllers";
import { accessMode, CsiClient, controllerService, type Snapshot, type VolumeCapability } from "@skiff/csi";
import { GrpcStatus, type Init } from "@skiff/grpc";

/** A driver behind a socket of this machine, as the controllers know drivers. It is connected to when first needed. */
export function csiStorageDriver(
  { name, socket, place }: { readonly name: string; readonly socket: string; readonly place: Segments },
  clock: Clock,
): StorageDriver & Disposable {
  const client = new CsiClient(socket, clock);
  return {
    name,
    place,
    async createVolume(wanted, signal) {
      const { source, node } = wanted;
      const content = { snapshot: { snapshotId: source?.id ?? "" } };
      const clone = { volume: { volumeId: source?.id ?? "" } };
      const request = {
        name: wanted.name,
        capacityRange: { requiredBytes: wanted.sizeBytes },
        volumeCapabilities: wanted.accessModes.map((mode) => capabilityOf(mode, wanted)),
        parameters: wanted.parameters,
        mutableParameters: wanted.mutableParameters,
        secrets: wanted.secrets,
        ...(source === undefined ? {} : { volumeContentSource: source.kind === "snapshot" ? content : clone }),
        ...(node === undefined
          ? {}
          : { accessibilityRequirements: { requisite: [{ segments: node }], preferred: [{ segments: node }] } }),
      };
      try {
        const { volume } = await client.call(controllerService.createVolume, request, signal);
        if (volume === undefined || volume.volumeId === "") throw new Error(`the driver ${name} gave no volume`);
        const topology = volume.accessibleTopology.map(({ segments }) => segments);
        const { volumeId, capacityBytes: sizeBytes, volumeContext: context } = volume;
        return { kind: "created", volume: { volumeId, sizeBytes, context, topology } };
      } catch (error) {
        if (!(error instanceof GrpcStatus) || error.code !== "RESOURCE_EXHAUSTED") throw error;
        return { kind: "exhausted", message: error.message };
      }
    },
    async deleteVolume(volume, signal) {
      await client.call(controllerService.deleteVolume, volume, signal);
    },
    async expandVolume({ volumeId, secrets, sizeBytes }, signal) {
      const request = { volumeId, secrets, capacityRange: { requiredBytes: sizeBytes } };
      const grown = await client.call(controllerService.controllerExpandVolume, request, signal);
      return { sizeBytes: grown.capacityBytes, onNodeToo: grown.nodeExpansionRequired };
    },
    async modifyVolume({ volumeId, secrets, parameters: mutableParameters }, signal) {
      try {
        await client.call(controllerService.controllerModifyVolume, { volumeId, secrets, mutableParameters }, signal);
        return { kind: "modified" };
      } catch (error) {
        if (!(error instanceof GrpcStatus) || error.code !== "INVALID_ARGUMENT") throw error;
        return { kind: "refused", message: error.message };
      }
    },
    async capacity({ parameters, segments }, signal) {
      const request = { parameters, accessibleTopology: { segments } };
      return (await client.call(controllerService.getCapacity, request, signal)).availableCapacity;
    },
    async createSnapshot({ name: snapshot, volumeId, parameters }, signal) {
      const request = { name: snapshot, sourceVolumeId: volumeId, parameters };
      return snapshotOf((await client.call(controllerService.createSnapshot, request, signal)).snapshot, snapshot);
    },
    async findSnapshot(snapshotId, signal) {
      const { entries } = await client.call(controllerService.listSnapshots, { snapshotId }, signal);
      return entries[0] === undefined ? undefined : snapshotOf(entries[0].snapshot, snapshotId);
    },
    async deleteSnapshot(snapshotId, signal) {
      await client.call(controllerService.deleteSnapshot, { snapshotId }, signal);
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

const modes: Readonly<Record<string, number>> = {
  ReadWriteOnce: accessMode.singleNodeMultiWriter,
  ReadOnlyMany: accessMode.multiNodeReaderOnly,
  ReadWriteMany: accessMode.multiNodeMultiWriter,
  ReadWriteOncePod: accessMode.singleNodeSingleWriter,
};

function capabilityOf(mode: string, { mode: use, fsType, mountOptions }: WantedVolume): Init<VolumeCapability> {
  const access = { accessMode: { mode: modes[mode] ?? 0 } };
  if (use === "Block") return { block: {}, ...access };
  return { mount: { fsType: fsType ?? "", mountFlags: mountOptions }, ...access };
}

function snapshotOf(snapshot: Snapshot | undefined, name: string): TakenSnapshot {
  if (snapshot === undefined) throw new Error(`the driver told nothing of the snapshot ${name}`);
  const { snapshotId, sizeBytes, creationTime, readyToUse } = snapshot;
  const createdMs = (creationTime?.seconds ?? 0) * 1000 + Math.floor((creationTime?.nanos ?? 0) / 1_000_000);
  return { snapshotId, sizeBytes, createdMs, ready: readyToUse };
}
