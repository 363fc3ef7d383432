import { jsonEqual } from "@skiff/base";
import type { Segments, StorageDriver, TakenSnapshot, WantedVolume } from "@skiff/controllers";
import { accessMode, controllerService, type Snapshot, type VolumeCapability } from "@skiff/csi";
import { GrpcStatus, type Init, type Method } from "@skiff/grpc";

/** The controller service of one driver. */
export interface ControllerCalls {
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    signal: AbortSignal,
  ): Promise<Response>;
}

export interface NodeDrivers {
  readonly name: string;
  readonly home: Segments;
  /** The driver that has the volumes of a place. */
  driverAt(place: Segments): ControllerCalls;
  /** Whether volumes with such parameters are made at home alone. */
  staysHome(parameters: Readonly<Record<string, string>>): boolean;
}

/**
 * Drivers of the same name on all nodes, each for volumes on its own node's disk, as the one driver that the controllers know.
 * What a node says of where its volumes are does not count: it is asked for those of one place, and could name another's.
 */
export function csiStorageDriver({ name, home, driverAt, staysHome }: NodeDrivers): StorageDriver {
  const driverOf = ({ at = home }: { readonly at: Segments | undefined }) => driverAt(at);
  return {
    name,
    home,
    async createVolume(wanted, signal) {
      const { source, places } = wanted;
      const stays = staysHome(wanted.parameters);
      if (stays && places.length > 0 && !places.some((one) => jsonEqual(one, home))) {
        return {
          kind: "exhausted",
          message: "volumes that pods share are made on the node of the cluster's server alone",
        };
      }
      const node = stays ? home : (places[0] ?? home);
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
        accessibilityRequirements: { requisite: [{ segments: node }], preferred: [{ segments: node }] },
      };
      try {
        const { volume } = await driverAt(node).call(controllerService.createVolume, request, signal);
        if (volume === undefined || volume.volumeId === "") throw new Error(`the driver ${name} gave no volume`);
        const { volumeId, capacityBytes: sizeBytes, volumeContext: context } = volume;
        return { kind: "created", volume: { volumeId, sizeBytes, context, topology: [node] } };
      } catch (error) {
        if (!(error instanceof GrpcStatus) || error.code !== "RESOURCE_EXHAUSTED") throw error;
        return { kind: "exhausted", message: error.message };
      }
    },
    async deleteVolume({ volumeId, secrets, at }, signal) {
      await driverOf({ at }).call(controllerService.deleteVolume, { volumeId, secrets }, signal);
    },
    async expandVolume({ volumeId, secrets, sizeBytes, at }, signal) {
      const request = { volumeId, secrets, capacityRange: { requiredBytes: sizeBytes } };
      const grown = await driverOf({ at }).call(controllerService.controllerExpandVolume, request, signal);
      return { sizeBytes: grown.capacityBytes, onNodeToo: grown.nodeExpansionRequired };
    },
    async modifyVolume({ volumeId, secrets, parameters: mutableParameters, at }, signal) {
      const request = { volumeId, secrets, mutableParameters };
      try {
        await driverOf({ at }).call(controllerService.controllerModifyVolume, request, signal);
        return { kind: "modified" };
      } catch (error) {
        if (!(error instanceof GrpcStatus) || error.code !== "INVALID_ARGUMENT") throw error;
        return { kind: "refused", message: error.message };
      }
    },
    async capacity({ parameters, segments }, signal) {
      if (staysHome(parameters) && !jsonEqual(segments, home)) return 0;
      const request = { parameters, accessibleTopology: { segments } };
      return (await driverAt(segments).call(controllerService.getCapacity, request, signal)).availableCapacity;
    },
    async createSnapshot({ name: snapshot, volumeId, parameters, at }, signal) {
      const request = { name: snapshot, sourceVolumeId: volumeId, parameters };
      const taken = await driverOf({ at }).call(controllerService.createSnapshot, request, signal);
      return snapshotOf(taken.snapshot, snapshot);
    },
    async findSnapshot({ snapshotId, at }, signal) {
      const { entries } = await driverOf({ at }).call(controllerService.listSnapshots, { snapshotId }, signal);
      return entries[0] === undefined ? undefined : snapshotOf(entries[0].snapshot, snapshotId);
    },
    async deleteSnapshot({ snapshotId, at }, signal) {
      await driverOf({ at }).call(controllerService.deleteSnapshot, { snapshotId }, signal);
    },
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
