/** The messages of the node service and of the kubelet's plugin registration, by their published field numbers. */
import { type MessageType, message } from "@skiff/grpc";
import { CapacityRange, Topology, VolumeCapability } from "./messages.ts";

export interface NodeStageVolumeRequest {
  readonly volumeId: string;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly stagingTargetPath: string;
  readonly volumeCapability: VolumeCapability | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}
export const NodeStageVolumeRequest: MessageType<NodeStageVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "publishContext", "string", "map"],
  [3, "stagingTargetPath", "string", "one"],
  [4, "volumeCapability", "message", "one", VolumeCapability],
  [5, "secrets", "string", "map"],
  [6, "volumeContext", "string", "map"],
]);

export interface NodeUnstageVolumeRequest {
  readonly volumeId: string;
  readonly stagingTargetPath: string;
}
export const NodeUnstageVolumeRequest: MessageType<NodeUnstageVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "stagingTargetPath", "string", "one"],
]);

export interface NodePublishVolumeRequest {
  readonly volumeId: string;
  readonly publishContext: Readonly<Record<string, string>>;
  readonly stagingTargetPath: string;
  readonly targetPath: string;
  readonly volumeCapability: VolumeCapability | undefined;
  readonly readonly: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}
export const NodePublishVolumeRequest: MessageType<NodePublishVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "publishContext", "string", "map"],
  [3, "stagingTargetPath", "string", "one"],
  [4, "targetPath", "string", "one"],
  [5, "volumeCapability", "message", "one", VolumeCapability],
  [6, "readonly", "bool", "one"],
  [7, "secrets", "string", "map"],
  [8, "volumeContext", "string", "map"],
]);

export interface NodeUnpublishVolumeRequest {
  readonly volumeId: string;
  readonly targetPath: string;
}
export const NodeUnpublishVolumeRequest: MessageType<NodeUnpublishVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "targetPath", "string", "one"],
]);

export interface NodeGetVolumeStatsRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  readonly stagingTargetPath: string;
}
export const NodeGetVolumeStatsRequest: MessageType<NodeGetVolumeStatsRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "volumePath", "string", "one"],
  [3, "stagingTargetPath", "string", "one"],
]);

export interface VolumeUsage {
  readonly available: number;
  readonly total: number;
  readonly used: number;
  readonly unit: number;
}
export const VolumeUsage: MessageType<VolumeUsage> = message(() => [
  [1, "available", "int64", "one"],
  [2, "total", "int64", "one"],
  [3, "used", "int64", "one"],
  [4, "unit", "int32", "one"],
]);

export interface VolumeCondition {
  readonly abnormal: boolean;
  readonly message: string;
}
export const VolumeCondition: MessageType<VolumeCondition> = message(() => [
  [1, "abnormal", "bool", "one"],
  [2, "message", "string", "one"],
]);

export interface NodeGetVolumeStatsResponse {
  readonly usage: readonly VolumeUsage[];
  readonly volumeCondition: VolumeCondition | undefined;
}
export const NodeGetVolumeStatsResponse: MessageType<NodeGetVolumeStatsResponse> = message(() => [
  [1, "usage", "message", "list", VolumeUsage],
  [2, "volumeCondition", "message", "one", VolumeCondition],
]);

export interface NodeGetInfoResponse {
  readonly nodeId: string;
  readonly maxVolumesPerNode: number;
  readonly accessibleTopology: Topology | undefined;
}
export const NodeGetInfoResponse: MessageType<NodeGetInfoResponse> = message(() => [
  [1, "nodeId", "string", "one"],
  [2, "maxVolumesPerNode", "int64", "one"],
  [3, "accessibleTopology", "message", "one", Topology],
]);

export interface NodeExpandVolumeRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  readonly capacityRange: CapacityRange | undefined;
  readonly stagingTargetPath: string;
  readonly volumeCapability: VolumeCapability | undefined;
  readonly secrets: Readonly<Record<string, string>>;
}
export const NodeExpandVolumeRequest: MessageType<NodeExpandVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "volumePath", "string", "one"],
  [3, "capacityRange", "message", "one", CapacityRange],
  [4, "stagingTargetPath", "string", "one"],
  [5, "volumeCapability", "message", "one", VolumeCapability],
  [6, "secrets", "string", "map"],
]);

export interface NodeExpandVolumeResponse {
  readonly capacityBytes: number;
}
export const NodeExpandVolumeResponse: MessageType<NodeExpandVolumeResponse> = message(() => [
  [1, "capacityBytes", "int64", "one"],
]);

export interface RegisteredPlugin {
  readonly type: string;
  readonly name: string;
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}
export const RegisteredPlugin: MessageType<RegisteredPlugin> = message(() => [
  [1, "type", "string", "one"],
  [2, "name", "string", "one"],
  [3, "endpoint", "string", "one"],
  [4, "supportedVersions", "string", "list"],
]);

export interface RegistrationStatus {
  readonly pluginRegistered: boolean;
  readonly error: string;
}
export const RegistrationStatus: MessageType<RegistrationStatus> = message(() => [
  [1, "pluginRegistered", "bool", "one"],
  [2, "error", "string", "one"],
]);
