/**
 * The messages of the Container Storage Interface (csi.v1) and of the kubelet's plugin registration, by their published
 * field numbers. https://github.com/container-storage-interface/spec
 */
import { type MessageType, message } from "@skiff/grpc";

export type Empty = Readonly<Record<string, never>>;
export const Empty: MessageType<Empty> = message(() => []);

export interface PluginInfo {
  readonly name: string;
  readonly vendorVersion: string;
}
export const PluginInfo: MessageType<PluginInfo> = message(() => [
  [1, "name", "string", "one"],
  [2, "vendorVersion", "string", "one"],
]);

export interface ServiceType {
  readonly type: number;
}
export const ServiceType: MessageType<ServiceType> = message(() => [[1, "type", "int32", "one"]]);

export interface PluginCapability {
  readonly service: ServiceType | undefined;
  readonly volumeExpansion: ServiceType | undefined;
}
export const PluginCapability: MessageType<PluginCapability> = message(() => [
  [1, "service", "message", "one", ServiceType],
  [2, "volumeExpansion", "message", "one", ServiceType],
]);

export interface PluginCapabilities {
  readonly capabilities: readonly PluginCapability[];
}
export const PluginCapabilities: MessageType<PluginCapabilities> = message(() => [
  [1, "capabilities", "message", "list", PluginCapability],
]);

export interface BoolValue {
  readonly value: boolean;
}
export const BoolValue: MessageType<BoolValue> = message(() => [[1, "value", "bool", "one"]]);

export interface Int64Value {
  readonly value: number;
}
export const Int64Value: MessageType<Int64Value> = message(() => [[1, "value", "int64", "one"]]);

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}
export const Timestamp: MessageType<Timestamp> = message(() => [
  [1, "seconds", "int64", "one"],
  [2, "nanos", "int32", "one"],
]);

export interface ProbeResponse {
  readonly ready: BoolValue | undefined;
}
export const ProbeResponse: MessageType<ProbeResponse> = message(() => [[1, "ready", "message", "one", BoolValue]]);

export interface CapacityRange {
  readonly requiredBytes: number;
  readonly limitBytes: number;
}
export const CapacityRange: MessageType<CapacityRange> = message(() => [
  [1, "requiredBytes", "int64", "one"],
  [2, "limitBytes", "int64", "one"],
]);

export interface MountCapability {
  readonly fsType: string;
  readonly mountFlags: readonly string[];
  readonly volumeMountGroup: string;
}
export const MountCapability: MessageType<MountCapability> = message(() => [
  [1, "fsType", "string", "one"],
  [2, "mountFlags", "string", "list"],
  [3, "volumeMountGroup", "string", "one"],
]);

export interface AccessMode {
  readonly mode: number;
}
export const AccessMode: MessageType<AccessMode> = message(() => [[1, "mode", "int32", "one"]]);

export interface VolumeCapability {
  readonly block: Empty | undefined;
  readonly mount: MountCapability | undefined;
  readonly accessMode: AccessMode | undefined;
}
export const VolumeCapability: MessageType<VolumeCapability> = message(() => [
  [1, "block", "message", "one", Empty],
  [2, "mount", "message", "one", MountCapability],
  [3, "accessMode", "message", "one", AccessMode],
]);

export interface SnapshotSource {
  readonly snapshotId: string;
}
export const SnapshotSource: MessageType<SnapshotSource> = message(() => [[1, "snapshotId", "string", "one"]]);

export interface VolumeSource {
  readonly volumeId: string;
}
export const VolumeSource: MessageType<VolumeSource> = message(() => [[1, "volumeId", "string", "one"]]);

export interface VolumeContentSource {
  readonly snapshot: SnapshotSource | undefined;
  readonly volume: VolumeSource | undefined;
}
export const VolumeContentSource: MessageType<VolumeContentSource> = message(() => [
  [1, "snapshot", "message", "one", SnapshotSource],
  [2, "volume", "message", "one", VolumeSource],
]);

export interface Topology {
  readonly segments: Readonly<Record<string, string>>;
}
export const Topology: MessageType<Topology> = message(() => [[1, "segments", "string", "map"]]);

export interface TopologyRequirement {
  readonly requisite: readonly Topology[];
  readonly preferred: readonly Topology[];
}
export const TopologyRequirement: MessageType<TopologyRequirement> = message(() => [
  [1, "requisite", "message", "list", Topology],
  [2, "preferred", "message", "list", Topology],
]);

export interface CreateVolumeRequest {
  readonly name: string;
  readonly capacityRange: CapacityRange | undefined;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContentSource: VolumeContentSource | undefined;
  readonly accessibilityRequirements: TopologyRequirement | undefined;
  readonly mutableParameters: Readonly<Record<string, string>>;
}
export const CreateVolumeRequest: MessageType<CreateVolumeRequest> = message(() => [
  [1, "name", "string", "one"],
  [2, "capacityRange", "message", "one", CapacityRange],
  [3, "volumeCapabilities", "message", "list", VolumeCapability],
  [4, "parameters", "string", "map"],
  [5, "secrets", "string", "map"],
  [6, "volumeContentSource", "message", "one", VolumeContentSource],
  [7, "accessibilityRequirements", "message", "one", TopologyRequirement],
  [8, "mutableParameters", "string", "map"],
]);

export interface CsiVolume {
  readonly capacityBytes: number;
  readonly volumeId: string;
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly contentSource: VolumeContentSource | undefined;
  readonly accessibleTopology: readonly Topology[];
}
export const CsiVolume: MessageType<CsiVolume> = message(() => [
  [1, "capacityBytes", "int64", "one"],
  [2, "volumeId", "string", "one"],
  [3, "volumeContext", "string", "map"],
  [4, "contentSource", "message", "one", VolumeContentSource],
  [5, "accessibleTopology", "message", "list", Topology],
]);

export interface CreateVolumeResponse {
  readonly volume: CsiVolume | undefined;
}
export const CreateVolumeResponse: MessageType<CreateVolumeResponse> = message(() => [
  [1, "volume", "message", "one", CsiVolume],
]);

export interface DeleteVolumeRequest {
  readonly volumeId: string;
  readonly secrets: Readonly<Record<string, string>>;
}
export const DeleteVolumeRequest: MessageType<DeleteVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "secrets", "string", "map"],
]);

export interface GetCapacityRequest {
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessibleTopology: Topology | undefined;
}
export const GetCapacityRequest: MessageType<GetCapacityRequest> = message(() => [
  [1, "volumeCapabilities", "message", "list", VolumeCapability],
  [2, "parameters", "string", "map"],
  [3, "accessibleTopology", "message", "one", Topology],
]);

export interface GetCapacityResponse {
  readonly availableCapacity: number;
  readonly maximumVolumeSize: Int64Value | undefined;
  readonly minimumVolumeSize: Int64Value | undefined;
}
export const GetCapacityResponse: MessageType<GetCapacityResponse> = message(() => [
  [1, "availableCapacity", "int64", "one"],
  [2, "maximumVolumeSize", "message", "one", Int64Value],
  [3, "minimumVolumeSize", "message", "one", Int64Value],
]);

export interface RpcCapability {
  readonly rpc: ServiceType | undefined;
}
export const RpcCapability: MessageType<RpcCapability> = message(() => [[1, "rpc", "message", "one", ServiceType]]);

export interface RpcCapabilities {
  readonly capabilities: readonly RpcCapability[];
}
export const RpcCapabilities: MessageType<RpcCapabilities> = message(() => [
  [1, "capabilities", "message", "list", RpcCapability],
]);

export interface CreateSnapshotRequest {
  readonly sourceVolumeId: string;
  readonly name: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}
export const CreateSnapshotRequest: MessageType<CreateSnapshotRequest> = message(() => [
  [1, "sourceVolumeId", "string", "one"],
  [2, "name", "string", "one"],
  [3, "secrets", "string", "map"],
  [4, "parameters", "string", "map"],
]);

export interface Snapshot {
  readonly sizeBytes: number;
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
  readonly creationTime: Timestamp | undefined;
  readonly readyToUse: boolean;
}
export const Snapshot: MessageType<Snapshot> = message(() => [
  [1, "sizeBytes", "int64", "one"],
  [2, "snapshotId", "string", "one"],
  [3, "sourceVolumeId", "string", "one"],
  [4, "creationTime", "message", "one", Timestamp],
  [5, "readyToUse", "bool", "one"],
]);

export interface CreateSnapshotResponse {
  readonly snapshot: Snapshot | undefined;
}
export const CreateSnapshotResponse: MessageType<CreateSnapshotResponse> = message(() => [
  [1, "snapshot", "message", "one", Snapshot],
]);

export interface DeleteSnapshotRequest {
  readonly snapshotId: string;
  readonly secrets: Readonly<Record<string, string>>;
}
export const DeleteSnapshotRequest: MessageType<DeleteSnapshotRequest> = message(() => [
  [1, "snapshotId", "string", "one"],
  [2, "secrets", "string", "map"],
]);

export interface ListSnapshotsRequest {
  readonly maxEntries: number;
  readonly startingToken: string;
  readonly sourceVolumeId: string;
  readonly snapshotId: string;
  readonly secrets: Readonly<Record<string, string>>;
}
export const ListSnapshotsRequest: MessageType<ListSnapshotsRequest> = message(() => [
  [1, "maxEntries", "int32", "one"],
  [2, "startingToken", "string", "one"],
  [3, "sourceVolumeId", "string", "one"],
  [4, "snapshotId", "string", "one"],
  [5, "secrets", "string", "map"],
]);

export interface SnapshotEntry {
  readonly snapshot: Snapshot | undefined;
}
export const SnapshotEntry: MessageType<SnapshotEntry> = message(() => [[1, "snapshot", "message", "one", Snapshot]]);

export interface ListSnapshotsResponse {
  readonly entries: readonly SnapshotEntry[];
  readonly nextToken: string;
}
export const ListSnapshotsResponse: MessageType<ListSnapshotsResponse> = message(() => [
  [1, "entries", "message", "list", SnapshotEntry],
  [2, "nextToken", "string", "one"],
]);

export interface ControllerExpandVolumeRequest {
  readonly volumeId: string;
  readonly capacityRange: CapacityRange | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeCapability: VolumeCapability | undefined;
}
export const ControllerExpandVolumeRequest: MessageType<ControllerExpandVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "capacityRange", "message", "one", CapacityRange],
  [3, "secrets", "string", "map"],
  [4, "volumeCapability", "message", "one", VolumeCapability],
]);

export interface ControllerExpandVolumeResponse {
  readonly capacityBytes: number;
  readonly nodeExpansionRequired: boolean;
}
export const ControllerExpandVolumeResponse: MessageType<ControllerExpandVolumeResponse> = message(() => [
  [1, "capacityBytes", "int64", "one"],
  [2, "nodeExpansionRequired", "bool", "one"],
]);

export interface ControllerModifyVolumeRequest {
  readonly volumeId: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}
export const ControllerModifyVolumeRequest: MessageType<ControllerModifyVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "secrets", "string", "map"],
  [3, "mutableParameters", "string", "map"],
]);
