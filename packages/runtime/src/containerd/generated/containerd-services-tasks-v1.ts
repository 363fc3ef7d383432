// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Any, Timestamp, Empty } from "./google-protobuf.ts";
import { Process } from "./containerd-v1-types.ts";

/** `containerd.services.tasks.v1.ExecProcessRequest` */
export interface ExecProcessRequest {
  readonly containerId: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly spec: Any | undefined;
  readonly execId: string;
}
export const ExecProcessRequest: MessageType<ExecProcessRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "stdin", "string", "one"],
  [3, "stdout", "string", "one"],
  [4, "stderr", "string", "one"],
  [5, "terminal", "bool", "one"],
  [6, "spec", "message", "one", Any],
  [7, "execId", "string", "one"],
]);

/** `containerd.services.tasks.v1.StartRequest` */
export interface StartRequest {
  readonly containerId: string;
  readonly execId: string;
}
export const StartRequest: MessageType<StartRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
]);

/** `containerd.services.tasks.v1.StartResponse` */
export interface StartResponse {
  readonly pid: number;
}
export const StartResponse: MessageType<StartResponse> = message(() => [
  [1, "pid", "uint32", "one"],
]);

/** `containerd.services.tasks.v1.KillRequest` */
export interface KillRequest {
  readonly containerId: string;
  readonly execId: string;
  readonly signal: number;
  readonly all: boolean;
}
export const KillRequest: MessageType<KillRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
  [3, "signal", "uint32", "one"],
  [4, "all", "bool", "one"],
]);

/** `containerd.services.tasks.v1.WaitRequest` */
export interface WaitRequest {
  readonly containerId: string;
  readonly execId: string;
}
export const WaitRequest: MessageType<WaitRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
]);

/** `containerd.services.tasks.v1.WaitResponse` */
export interface WaitResponse {
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}
export const WaitResponse: MessageType<WaitResponse> = message(() => [
  [1, "exitStatus", "uint32", "one"],
  [2, "exitedAt", "message", "one", Timestamp],
]);

/** `containerd.services.tasks.v1.ResizePtyRequest` */
export interface ResizePtyRequest {
  readonly containerId: string;
  readonly execId: string;
  readonly width: number;
  readonly height: number;
}
export const ResizePtyRequest: MessageType<ResizePtyRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
  [3, "width", "uint32", "one"],
  [4, "height", "uint32", "one"],
]);

/** `containerd.services.tasks.v1.CloseIORequest` */
export interface CloseIORequest {
  readonly containerId: string;
  readonly execId: string;
  readonly stdin: boolean;
}
export const CloseIORequest: MessageType<CloseIORequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
  [3, "stdin", "bool", "one"],
]);

/** `containerd.services.tasks.v1.DeleteProcessRequest` */
export interface DeleteProcessRequest {
  readonly containerId: string;
  readonly execId: string;
}
export const DeleteProcessRequest: MessageType<DeleteProcessRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
]);

/** `containerd.services.tasks.v1.DeleteResponse` */
export interface DeleteResponse {
  readonly id: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}
export const DeleteResponse: MessageType<DeleteResponse> = message(() => [
  [1, "id", "string", "one"],
  [2, "pid", "uint32", "one"],
  [3, "exitStatus", "uint32", "one"],
  [4, "exitedAt", "message", "one", Timestamp],
]);

/** `containerd.services.tasks.v1.GetRequest` */
export interface GetRequest {
  readonly containerId: string;
  readonly execId: string;
}
export const GetRequest: MessageType<GetRequest> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "execId", "string", "one"],
]);

/** `containerd.services.tasks.v1.GetResponse` */
export interface GetResponse {
  readonly process: Process | undefined;
}
export const GetResponse: MessageType<GetResponse> = message(() => [
  [1, "process", "message", "one", Process],
]);

/** `containerd.services.tasks.v1.Tasks` */
export const Tasks = {
  exec: method("/containerd.services.tasks.v1.Tasks/Exec", ExecProcessRequest, Empty),
  start: method("/containerd.services.tasks.v1.Tasks/Start", StartRequest, StartResponse),
  kill: method("/containerd.services.tasks.v1.Tasks/Kill", KillRequest, Empty),
  wait: method("/containerd.services.tasks.v1.Tasks/Wait", WaitRequest, WaitResponse),
  resizePty: method("/containerd.services.tasks.v1.Tasks/ResizePty", ResizePtyRequest, Empty),
  closeIO: method("/containerd.services.tasks.v1.Tasks/CloseIO", CloseIORequest, Empty),
  deleteProcess: method("/containerd.services.tasks.v1.Tasks/DeleteProcess", DeleteProcessRequest, DeleteResponse),
  get: method("/containerd.services.tasks.v1.Tasks/Get", GetRequest, GetResponse),
};
