/** The messages by which controllers attach volumes to nodes and ask about volumes, by their published field numbers. */
import { type MessageType, message } from "@skiff/grpc";
import { CsiVolume, VolumeCapability } from "./messages.ts";
import { VolumeCondition } from "./node-messages.ts";

export interface ControllerPublishVolumeRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly volumeCapability: VolumeCapability | undefined;
  readonly readonly: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly volumeContext: Readonly<Record<string, string>>;
}
export const ControllerPublishVolumeRequest: MessageType<ControllerPublishVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "nodeId", "string", "one"],
  [3, "volumeCapability", "message", "one", VolumeCapability],
  [4, "readonly", "bool", "one"],
  [5, "secrets", "string", "map"],
  [6, "volumeContext", "string", "map"],
]);

export interface ControllerPublishVolumeResponse {
  readonly publishContext: Readonly<Record<string, string>>;
}
export const ControllerPublishVolumeResponse: MessageType<ControllerPublishVolumeResponse> = message(() => [
  [1, "publishContext", "string", "map"],
]);

export interface ControllerUnpublishVolumeRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly secrets: Readonly<Record<string, string>>;
}
export const ControllerUnpublishVolumeRequest: MessageType<ControllerUnpublishVolumeRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "nodeId", "string", "one"],
  [3, "secrets", "string", "map"],
]);

export interface ValidateVolumeCapabilitiesRequest {
  readonly volumeId: string;
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}
export const ValidateVolumeCapabilitiesRequest: MessageType<ValidateVolumeCapabilitiesRequest> = message(() => [
  [1, "volumeId", "string", "one"],
  [2, "volumeContext", "string", "map"],
  [3, "volumeCapabilities", "message", "list", VolumeCapability],
  [4, "parameters", "string", "map"],
  [5, "secrets", "string", "map"],
  [6, "mutableParameters", "string", "map"],
]);

export interface ConfirmedCapabilities {
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly mutableParameters: Readonly<Record<string, string>>;
}
export const ConfirmedCapabilities: MessageType<ConfirmedCapabilities> = message(() => [
  [1, "volumeContext", "string", "map"],
  [2, "volumeCapabilities", "message", "list", VolumeCapability],
  [3, "parameters", "string", "map"],
  [4, "mutableParameters", "string", "map"],
]);

export interface ValidateVolumeCapabilitiesResponse {
  readonly confirmed: ConfirmedCapabilities | undefined;
  readonly message: string;
}
export const ValidateVolumeCapabilitiesResponse: MessageType<ValidateVolumeCapabilitiesResponse> = message(() => [
  [1, "confirmed", "message", "one", ConfirmedCapabilities],
  [2, "message", "string", "one"],
]);

export interface ListVolumesRequest {
  readonly maxEntries: number;
  readonly startingToken: string;
}
export const ListVolumesRequest: MessageType<ListVolumesRequest> = message(() => [
  [1, "maxEntries", "int32", "one"],
  [2, "startingToken", "string", "one"],
]);

export interface VolumeStatus {
  readonly publishedNodeIds: readonly string[];
  readonly volumeCondition: VolumeCondition | undefined;
}
export const VolumeStatus: MessageType<VolumeStatus> = message(() => [
  [1, "publishedNodeIds", "string", "list"],
  [2, "volumeCondition", "message", "one", VolumeCondition],
]);

export interface VolumeEntry {
  readonly volume: CsiVolume | undefined;
  readonly status: VolumeStatus | undefined;
}
export const VolumeEntry: MessageType<VolumeEntry> = message(() => [
  [1, "volume", "message", "one", CsiVolume],
  [2, "status", "message", "one", VolumeStatus],
]);

export interface ListVolumesResponse {
  readonly entries: readonly VolumeEntry[];
  readonly nextToken: string;
}
export const ListVolumesResponse: MessageType<ListVolumesResponse> = message(() => [
  [1, "entries", "message", "list", VolumeEntry],
  [2, "nextToken", "string", "one"],
]);
