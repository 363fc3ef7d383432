// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Any, Timestamp } from "./google-protobuf.ts";

/** `containerd.services.containers.v1.GetContainerRequest` */
export interface GetContainerRequest {
  readonly id: string;
}
export const GetContainerRequest: MessageType<GetContainerRequest> = message(() => [
  [1, "id", "string", "one"],
]);

/** `containerd.services.containers.v1.GetContainerResponse` */
export interface GetContainerResponse {
  readonly container: Container | undefined;
}
export const GetContainerResponse: MessageType<GetContainerResponse> = message(() => [
  [1, "container", "message", "one", Container],
]);

/** `containerd.services.containers.v1.Container` */
export interface Container {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: ContainerRuntime | undefined;
  readonly spec: Any | undefined;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly createdAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
  readonly extensions: Readonly<Record<string, Any>>;
}
export const Container: MessageType<Container> = message(() => [
  [1, "id", "string", "one"],
  [2, "labels", "string", "map"],
  [3, "image", "string", "one"],
  [4, "runtime", "message", "one", ContainerRuntime],
  [5, "spec", "message", "one", Any],
  [6, "snapshotter", "string", "one"],
  [7, "snapshotKey", "string", "one"],
  [8, "createdAt", "message", "one", Timestamp],
  [9, "updatedAt", "message", "one", Timestamp],
  [10, "extensions", "message", "map", Any],
]);

/** `containerd.services.containers.v1.Container.Runtime` */
export interface ContainerRuntime {
  readonly name: string;
  readonly options: Any | undefined;
}
export const ContainerRuntime: MessageType<ContainerRuntime> = message(() => [
  [1, "name", "string", "one"],
  [2, "options", "message", "one", Any],
]);

/** `containerd.services.containers.v1.Containers` */
export const Containers = {
  get: method("/containerd.services.containers.v1.Containers/Get", GetContainerRequest, GetContainerResponse),
};
