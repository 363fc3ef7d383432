import { statfs } from "node:fs/promises";
import type { Clock } from "@skiff/base";
import type { Init } from "@skiff/grpc";
import { GrpcStatus, type Served, serve } from "@skiff/grpc";
import type { Processes } from "@skiff/host";
import { KeyedQueue } from "../keyed-queue.ts";
import type { CreateVolumeRequest, CsiVolume, Snapshot, Topology } from "../messages.ts";
import { controllerFeature, controllerService } from "../services.ts";
import { checkAttributes, setAttributes } from "./attributes.ts";
import { fileSystemKind, smallestBytes } from "./file-system.ts";
import { required } from "./required.ts";
import { isFolder, type StoredVolume, type VolumeForm, type VolumeStore } from "./volume-store.ts";

export interface HostpathController {
  readonly store: VolumeStore;
  readonly processes: Processes;
  readonly root: string;
  readonly clock: Clock;
  /** Where volumes can be had: this node alone. */
  readonly topology: Readonly<Record<string, string>>;
}

const defaultBytes = 1024 ** 3;

/** What the controllers of the cluster ask for. Every call may be repeated; calls about one volume wait for one another. */
export function controllerMethods(driver: HostpathController): readonly Served[] {
  const { store, root } = driver;
  const queue = new KeyedQueue();
  const features = [
    controllerFeature.createDeleteVolume,
    controllerFeature.getCapacity,
    controllerFeature.createDeleteSnapshot,
    controllerFeature.listSnapshots,
    controllerFeature.cloneVolume,
    controllerFeature.expandVolume,
    controllerFeature.singleNodeMultiWriter,
    controllerFeature.modifyVolume,
  ];
  return [
    serve(controllerService.controllerGetCapabilities, async () => ({
      capabilities: features.map((type) => ({ rpc: { type } })),
    })),
    serve(controllerService.createVolume, (request, signal) =>
      queue.run(request.name, async () => ({ volume: await createVolume(request, driver, signal) })),
    ),
    serve(controllerService.deleteVolume, ({ volumeId }) =>
      queue.run(volumeId, async () => {
        required({ volumeId });
        await store.remove("volumes", volumeId).catch(ignoreMissing);
        return {};
      }),
    ),
    serve(controllerService.validateVolumeCapabilities, async (request) => {
      const { volumeId, volumeCapabilities, volumeContext, parameters, mutableParameters } = request;
      required({ volumeId });
      const { form } = await store.get("volumes", volumeId);
      if (volumeCapabilities.length === 0) {
        throw new GrpcStatus("INVALID_ARGUMENT", "Volume Capabilities missing in request");
      }
      const fits = volumeCapabilities.every(({ block }) => (block !== undefined) === (form === "block"));
      if (!fits) return { message: form === "block" ? "the volume is a device" : "the volume is a file system" };
      return { confirmed: { volumeContext, volumeCapabilities, parameters, mutableParameters } };
    }),
    serve(controllerService.getCapacity, async ({ accessibleTopology }) => {
      if (accessibleTopology !== undefined && !isHere(accessibleTopology, driver)) return { availableCapacity: 0 };
      const { bavail, bsize } = await statfs(root);
      return { availableCapacity: bavail * bsize };
    }),
    serve(controllerService.createSnapshot, ({ name, sourceVolumeId }, signal) =>
      queue.run(name, async () => ({ snapshot: await createSnapshot(name, sourceVolumeId, driver, signal) })),
    ),
    serve(controllerService.deleteSnapshot, ({ snapshotId }) =>
      queue.run(snapshotId, async () => {
        required({ snapshotId });
        await store.remove("snapshots", snapshotId).catch(ignoreMissing);
        return {};
      }),
    ),
    serve(controllerService.listSnapshots, async ({ snapshotId, sourceVolumeId, maxEntries, startingToken }) => {
      const all = await store.list("snapshots");
      const wanted = all
        .filter(
          ({ id, source }) =>
            (snapshotId === "" || id === snapshotId) && (sourceVolumeId === "" || source === sourceVolumeId),
        )
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const first = startingToken === "" ? 0 : wanted.findIndex(({ id }) => id === startingToken);
      if (first < 0) throw new GrpcStatus("ABORTED", `there is no snapshot ${startingToken} to go on from`);
      const end = maxEntries === 0 ? wanted.length : first + maxEntries;
      return {
        entries: wanted.slice(first, end).map((one) => ({ snapshot: snapshotOf(one) })),
        nextToken: wanted[end]?.id ?? "",
      };
    }),
    serve(controllerService.controllerExpandVolume, ({ volumeId, capacityRange }) =>
      queue.run(volumeId, async () => {
        required({ volumeId, capacityRange });
        const volume = await store.get("volumes", volumeId);
        const { sizeBytes, form } = await store.resize(volume, capacityRange?.requiredBytes ?? 0);
        return { capacityBytes: sizeBytes, nodeExpansionRequired: !isFolder(form) };
      }),
    ),
    serve(controllerService.controllerModifyVolume, ({ volumeId, mutableParameters }, signal) =>
      queue.run(volumeId, async () => {
        required({ volumeId });
        await setAttributes(await store.get("volumes", volumeId), mutableParameters, driver, signal);
        return {};
      }),
    ),
  ];
}

/** Whether what is said of a place leaves this node. */
const isHere = ({ segments }: Topology, { topology }: Pick<HostpathController, "topology">): boolean =>
  Object.entries(topology).every(([key, value]) => segments[key] === undefined || segments[key] === value);

function ignoreMissing(error: unknown): void {
  if (!(error instanceof GrpcStatus) || error.code !== "NOT_FOUND") throw error;
}

function formOf({ volumeCapabilities, parameters }: CreateVolumeRequest): VolumeForm {
  if (volumeCapabilities.some(({ block }) => block !== undefined)) return "block";
  if (parameters.enforceSize === "true") return "image";
  return parameters.shared === "true" ? "shared" : "folder";
}

async function createVolume(
  request: CreateVolumeRequest,
  { store, processes, topology, clock }: HostpathController,
  signal: AbortSignal,
): Promise<Init<CsiVolume>> {
  const { name, capacityRange, volumeCapabilities, mutableParameters } = request;
  required({ name });
  const places = request.accessibilityRequirements?.requisite ?? [];
  if (places.length > 0 && !places.some((place) => isHere(place, { topology }))) {
    throw new GrpcStatus("RESOURCE_EXHAUSTED", "volumes are made on this node alone");
  }
  if (volumeCapabilities.length === 0) {
    throw new GrpcStatus("INVALID_ARGUMENT", "Volume Capabilities missing in request");
  }
  const form = formOf(request);
  const wanted = capacityRange?.requiredBytes || defaultBytes;
  checkAttributes({ form }, mutableParameters);
  const fileSystem = fileSystemKind(volumeCapabilities.find(({ mount }) => mount?.fsType)?.mount?.fsType ?? "");
  const sizeBytes = form === "image" ? Math.max(wanted, smallestBytes(fileSystem)) : wanted;
  if (capacityRange?.limitBytes && sizeBytes > capacityRange.limitBytes) {
    throw new GrpcStatus("OUT_OF_RANGE", `a volume has at least ${sizeBytes} bytes`);
  }
  let volume = await store.find("volumes", name);
  if (volume !== undefined && (volume.form !== form || volume.sizeBytes < sizeBytes)) {
    throw new GrpcStatus("ALREADY_EXISTS", `Volume with the same name: ${name} but with different size already exist`);
  }
  if (volume === undefined) {
    const source = await sourceOf(request, store);
    if (source !== undefined && source.volume.form !== form) {
      throw new GrpcStatus("INVALID_ARGUMENT", `${source.volume.id} is of another form (${source.volume.form})`);
    }
    if (source !== undefined && source.volume.sizeBytes > sizeBytes) {
      throw new GrpcStatus(
        "OUT_OF_RANGE",
        `${source.volume.id} has ${source.volume.sizeBytes} bytes, more than wanted`,
      );
    }
    // A copy is formatted as what it was copied from.
    const formatted = form === "image" ? { fileSystem: source?.volume.fileSystem ?? fileSystem } : {};
    volume = { id: name, form, sizeBytes, createdMs: clock.now(), ...formatted };
    await store.create("volumes", volume, source, signal);
  }
  await setAttributes(volume, mutableParameters, { store, processes }, signal);
  return {
    volumeId: volume.id,
    capacityBytes: volume.sizeBytes,
    volumeContext: request.parameters,
    ...(request.volumeContentSource === undefined ? {} : { contentSource: request.volumeContentSource }),
    accessibleTopology: [{ segments: topology }],
  };
}

async function sourceOf({ volumeContentSource }: CreateVolumeRequest, store: VolumeStore) {
  const { snapshot, volume } = volumeContentSource ?? {};
  if (snapshot !== undefined) {
    return { kind: "snapshots", volume: await store.get("snapshots", snapshot.snapshotId) } as const;
  }
  if (volume !== undefined) return { kind: "volumes", volume: await store.get("volumes", volume.volumeId) } as const;
  return undefined;
}

async function createSnapshot(
  name: string,
  sourceId: string,
  { store, clock }: HostpathController,
  signal: AbortSignal,
): Promise<Init<Snapshot>> {
  required({ name, sourceVolumeId: sourceId });
  const known = await store.find("snapshots", name);
  if (known !== undefined) {
    if (known.source === sourceId) return snapshotOf(known);
    const message = `snapshot with the same name: ${name} but with different SourceVolumeId already exist`;
    throw new GrpcStatus("ALREADY_EXISTS", message);
  }
  const volume = await store.get("volumes", sourceId);
  const snapshot: StoredVolume = { ...volume, id: name, source: sourceId, createdMs: clock.now() };
  await store.create("snapshots", snapshot, { kind: "volumes", volume }, signal);
  return snapshotOf(snapshot);
}

const snapshotOf = ({ id, source = "", sizeBytes, createdMs }: StoredVolume): Init<Snapshot> => ({
  snapshotId: id,
  sourceVolumeId: source,
  sizeBytes,
  creationTime: { seconds: Math.floor(createdMs / 1000), nanos: (createdMs % 1000) * 1_000_000 },
  readyToUse: true,
});
