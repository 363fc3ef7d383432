/** The messages and the service by which others on the node learn who has what (`podresources v1`), by their published field numbers. */
import { type MessageType, message, method } from "@skiff/grpc";
import { CdiDevice, Empty, TopologyInfo } from "../devices/messages.ts";

export interface ContainerDevices {
  readonly resourceName: string;
  readonly deviceIds: readonly string[];
  readonly topology: TopologyInfo | undefined;
}
export const ContainerDevices: MessageType<ContainerDevices> = message(() => [
  [1, "resourceName", "string", "one"],
  [2, "deviceIds", "string", "list"],
  [3, "topology", "message", "one", TopologyInfo],
]);

export interface ContainerMemory {
  readonly memoryType: string;
  readonly size: number;
  readonly topology: TopologyInfo | undefined;
}
export const ContainerMemory: MessageType<ContainerMemory> = message(() => [
  [1, "memoryType", "string", "one"],
  [2, "size", "uint64", "one"],
  [3, "topology", "message", "one", TopologyInfo],
]);

export interface ClaimResource {
  readonly cdiDevices: readonly CdiDevice[];
  readonly driverName: string;
  readonly poolName: string;
  readonly deviceName: string;
}
export const ClaimResource: MessageType<ClaimResource> = message(() => [
  [1, "cdiDevices", "message", "list", CdiDevice],
  [2, "driverName", "string", "one"],
  [3, "poolName", "string", "one"],
  [4, "deviceName", "string", "one"],
]);

export interface DynamicResource {
  readonly claimName: string;
  readonly claimNamespace: string;
  readonly claimResources: readonly ClaimResource[];
}
export const DynamicResource: MessageType<DynamicResource> = message(() => [
  [2, "claimName", "string", "one"],
  [3, "claimNamespace", "string", "one"],
  [4, "claimResources", "message", "list", ClaimResource],
]);

export interface ContainerResources {
  readonly name: string;
  readonly devices: readonly ContainerDevices[];
  readonly cpuIds: readonly number[];
  readonly memory: readonly ContainerMemory[];
  readonly dynamicResources: readonly DynamicResource[];
}
export const ContainerResources: MessageType<ContainerResources> = message(() => [
  [1, "name", "string", "one"],
  [2, "devices", "message", "list", ContainerDevices],
  [3, "cpuIds", "int64", "list"],
  [4, "memory", "message", "list", ContainerMemory],
  [5, "dynamicResources", "message", "list", DynamicResource],
]);

export interface PodResources {
  readonly name: string;
  readonly namespace: string;
  readonly containers: readonly ContainerResources[];
}
export const PodResources: MessageType<PodResources> = message(() => [
  [1, "name", "string", "one"],
  [2, "namespace", "string", "one"],
  [3, "containers", "message", "list", ContainerResources],
]);

export interface ListPodResourcesResponse {
  readonly podResources: readonly PodResources[];
}
export const ListPodResourcesResponse: MessageType<ListPodResourcesResponse> = message(() => [
  [1, "podResources", "message", "list", PodResources],
]);

export interface AllocatableResourcesResponse {
  readonly devices: readonly ContainerDevices[];
  readonly cpuIds: readonly number[];
  readonly memory: readonly ContainerMemory[];
}
export const AllocatableResourcesResponse: MessageType<AllocatableResourcesResponse> = message(() => [
  [1, "devices", "message", "list", ContainerDevices],
  [2, "cpuIds", "int64", "list"],
  [3, "memory", "message", "list", ContainerMemory],
]);

export interface GetPodResourcesRequest {
  readonly podName: string;
  readonly podNamespace: string;
}
export const GetPodResourcesRequest: MessageType<GetPodResourcesRequest> = message(() => [
  [1, "podName", "string", "one"],
  [2, "podNamespace", "string", "one"],
]);

export interface GetPodResourcesResponse {
  readonly podResources: PodResources | undefined;
}
export const GetPodResourcesResponse: MessageType<GetPodResourcesResponse> = message(() => [
  [1, "podResources", "message", "one", PodResources],
]);

export const podResourcesLister = {
  list: method("/v1.PodResourcesLister/List", Empty, ListPodResourcesResponse),
  getAllocatable: method("/v1.PodResourcesLister/GetAllocatableResources", Empty, AllocatableResourcesResponse),
  get: method("/v1.PodResourcesLister/Get", GetPodResourcesRequest, GetPodResourcesResponse),
};
