/** The messages and services of device plugins (`v1beta1`), by their published field numbers. */
import { type MessageType, message, method } from "@skiff/grpc";

export interface Empty {
  readonly [key: string]: never;
}
export const Empty: MessageType<Empty> = message(() => []);

export interface DevicePluginOptions {
  readonly preStartRequired: boolean;
  readonly getPreferredAllocationAvailable: boolean;
}
export const DevicePluginOptions: MessageType<DevicePluginOptions> = message(() => [
  [1, "preStartRequired", "bool", "one"],
  [2, "getPreferredAllocationAvailable", "bool", "one"],
]);

export interface RegisterRequest {
  readonly version: string;
  /** Name of the plugin's socket, beside that of the kubelet. */
  readonly endpoint: string;
  readonly resourceName: string;
  readonly options: DevicePluginOptions | undefined;
}
export const RegisterRequest: MessageType<RegisterRequest> = message(() => [
  [1, "version", "string", "one"],
  [2, "endpoint", "string", "one"],
  [3, "resourceName", "string", "one"],
  [4, "options", "message", "one", DevicePluginOptions],
]);

export interface NumaNode {
  readonly id: number;
}
export const NumaNode: MessageType<NumaNode> = message(() => [[1, "id", "int64", "one"]]);

export interface TopologyInfo {
  readonly nodes: readonly NumaNode[];
}
export const TopologyInfo: MessageType<TopologyInfo> = message(() => [[1, "nodes", "message", "list", NumaNode]]);

export interface PluginDevice {
  readonly id: string;
  /** `Healthy` or `Unhealthy`. */
  readonly health: string;
  readonly topology: TopologyInfo | undefined;
}
export const PluginDevice: MessageType<PluginDevice> = message(() => [
  [1, "id", "string", "one"],
  [2, "health", "string", "one"],
  [3, "topology", "message", "one", TopologyInfo],
]);

export interface ListAndWatchResponse {
  readonly devices: readonly PluginDevice[];
}
export const ListAndWatchResponse: MessageType<ListAndWatchResponse> = message(() => [
  [1, "devices", "message", "list", PluginDevice],
]);

export interface ContainerPreferredAllocationRequest {
  readonly available: readonly string[];
  readonly mustInclude: readonly string[];
  readonly size: number;
}
export const ContainerPreferredAllocationRequest: MessageType<ContainerPreferredAllocationRequest> = message(() => [
  [1, "available", "string", "list"],
  [2, "mustInclude", "string", "list"],
  [3, "size", "int32", "one"],
]);

export interface PreferredAllocationRequest {
  readonly containerRequests: readonly ContainerPreferredAllocationRequest[];
}
export const PreferredAllocationRequest: MessageType<PreferredAllocationRequest> = message(() => [
  [1, "containerRequests", "message", "list", ContainerPreferredAllocationRequest],
]);

export interface DeviceIds {
  readonly ids: readonly string[];
}
export const DeviceIds: MessageType<DeviceIds> = message(() => [[1, "ids", "string", "list"]]);

export interface PreferredAllocationResponse {
  readonly containerResponses: readonly DeviceIds[];
}
export const PreferredAllocationResponse: MessageType<PreferredAllocationResponse> = message(() => [
  [1, "containerResponses", "message", "list", DeviceIds],
]);

export interface AllocateRequest {
  readonly containerRequests: readonly DeviceIds[];
}
export const AllocateRequest: MessageType<AllocateRequest> = message(() => [
  [1, "containerRequests", "message", "list", DeviceIds],
]);

export interface PluginMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readOnly: boolean;
}
export const PluginMount: MessageType<PluginMount> = message(() => [
  [1, "containerPath", "string", "one"],
  [2, "hostPath", "string", "one"],
  [3, "readOnly", "bool", "one"],
]);

export interface DeviceSpec {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly permissions: string;
}
export const DeviceSpec: MessageType<DeviceSpec> = message(() => [
  [1, "containerPath", "string", "one"],
  [2, "hostPath", "string", "one"],
  [3, "permissions", "string", "one"],
]);

export interface CdiDevice {
  readonly name: string;
}
export const CdiDevice: MessageType<CdiDevice> = message(() => [[1, "name", "string", "one"]]);

/** What a container needs to use the devices that it was given. */
export interface ContainerAllocateResponse {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly PluginMount[];
  readonly devices: readonly DeviceSpec[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly cdiDevices: readonly CdiDevice[];
}
export const ContainerAllocateResponse: MessageType<ContainerAllocateResponse> = message(() => [
  [1, "envs", "string", "map"],
  [2, "mounts", "message", "list", PluginMount],
  [3, "devices", "message", "list", DeviceSpec],
  [4, "annotations", "string", "map"],
  [5, "cdiDevices", "message", "list", CdiDevice],
]);

export interface AllocateResponse {
  readonly containerResponses: readonly ContainerAllocateResponse[];
}
export const AllocateResponse: MessageType<AllocateResponse> = message(() => [
  [1, "containerResponses", "message", "list", ContainerAllocateResponse],
]);

/** The kubelet's own service, by which plugins make themselves known. */
export const deviceRegistration = {
  register: method("/v1beta1.Registration/Register", RegisterRequest, Empty),
};

export const devicePlugin = {
  getOptions: method("/v1beta1.DevicePlugin/GetDevicePluginOptions", Empty, DevicePluginOptions),
  listAndWatch: method("/v1beta1.DevicePlugin/ListAndWatch", Empty, ListAndWatchResponse),
  getPreferredAllocation: method(
    "/v1beta1.DevicePlugin/GetPreferredAllocation",
    PreferredAllocationRequest,
    PreferredAllocationResponse,
  ),
  allocate: method("/v1beta1.DevicePlugin/Allocate", AllocateRequest, AllocateResponse),
  preStartContainer: method("/v1beta1.DevicePlugin/PreStartContainer", DeviceIds, Empty),
};
