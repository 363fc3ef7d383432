// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message } from "@skiff/grpc";
import { Any, Timestamp } from "./google-protobuf.ts";

/** `containerd.events.ContainerCreate` */
export interface ContainerCreate {
  readonly id: string;
  readonly image: string;
  readonly runtime: ContainerCreateRuntime | undefined;
}
export const ContainerCreate: MessageType<ContainerCreate> = message(() => [
  [1, "id", "string", "one"],
  [2, "image", "string", "one"],
  [3, "runtime", "message", "one", ContainerCreateRuntime],
]);

/** `containerd.events.ContainerCreate.Runtime` */
export interface ContainerCreateRuntime {
  readonly name: string;
  readonly options: Any | undefined;
}
export const ContainerCreateRuntime: MessageType<ContainerCreateRuntime> = message(() => [
  [1, "name", "string", "one"],
  [2, "options", "message", "one", Any],
]);

/** `containerd.events.ContainerDelete` */
export interface ContainerDelete {
  readonly id: string;
}
export const ContainerDelete: MessageType<ContainerDelete> = message(() => [
  [1, "id", "string", "one"],
]);

/** `containerd.events.TaskStart` */
export interface TaskStart {
  readonly containerId: string;
  readonly pid: number;
}
export const TaskStart: MessageType<TaskStart> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "pid", "uint32", "one"],
]);

/** `containerd.events.TaskDelete` */
export interface TaskDelete {
  readonly containerId: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
  readonly id: string;
}
export const TaskDelete: MessageType<TaskDelete> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "pid", "uint32", "one"],
  [3, "exitStatus", "uint32", "one"],
  [4, "exitedAt", "message", "one", Timestamp],
  [5, "id", "string", "one"],
]);

/** `containerd.events.TaskExit` */
export interface TaskExit {
  readonly containerId: string;
  readonly id: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}
export const TaskExit: MessageType<TaskExit> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "id", "string", "one"],
  [3, "pid", "uint32", "one"],
  [4, "exitStatus", "uint32", "one"],
  [5, "exitedAt", "message", "one", Timestamp],
]);

/** `containerd.events.TaskOOM` */
export interface TaskOOM {
  readonly containerId: string;
}
export const TaskOOM: MessageType<TaskOOM> = message(() => [
  [1, "containerId", "string", "one"],
]);
