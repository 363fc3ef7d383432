// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Timestamp, FieldMask, Empty } from "./google-protobuf.ts";

/** `containerd.services.content.v1.InfoRequest` */
export interface InfoRequest {
  readonly digest: string;
}
export const InfoRequest: MessageType<InfoRequest> = message(() => [
  [1, "digest", "string", "one"],
]);

/** `containerd.services.content.v1.InfoResponse` */
export interface InfoResponse {
  readonly info: Info | undefined;
}
export const InfoResponse: MessageType<InfoResponse> = message(() => [
  [1, "info", "message", "one", Info],
]);

/** `containerd.services.content.v1.Info` */
export interface Info {
  readonly digest: string;
  readonly size: number;
  readonly createdAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
  readonly labels: Readonly<Record<string, string>>;
}
export const Info: MessageType<Info> = message(() => [
  [1, "digest", "string", "one"],
  [2, "size", "int64", "one"],
  [3, "createdAt", "message", "one", Timestamp],
  [4, "updatedAt", "message", "one", Timestamp],
  [5, "labels", "string", "map"],
]);

/** `containerd.services.content.v1.UpdateRequest` */
export interface UpdateRequest {
  readonly info: Info | undefined;
  readonly updateMask: FieldMask | undefined;
}
export const UpdateRequest: MessageType<UpdateRequest> = message(() => [
  [1, "info", "message", "one", Info],
  [2, "updateMask", "message", "one", FieldMask],
]);

/** `containerd.services.content.v1.UpdateResponse` */
export interface UpdateResponse {
  readonly info: Info | undefined;
}
export const UpdateResponse: MessageType<UpdateResponse> = message(() => [
  [1, "info", "message", "one", Info],
]);

/** `containerd.services.content.v1.WriteContentRequest` */
export interface WriteContentRequest {
  readonly action: number;
  readonly ref: string;
  readonly total: number;
  readonly expected: string;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
}
export const WriteContentRequest: MessageType<WriteContentRequest> = message(() => [
  [1, "action", "int32", "one"],
  [2, "ref", "string", "one"],
  [3, "total", "int64", "one"],
  [4, "expected", "string", "one"],
  [5, "offset", "int64", "one"],
  [6, "data", "bytes", "one"],
  [7, "labels", "string", "map"],
]);

/** `containerd.services.content.v1.WriteContentResponse` */
export interface WriteContentResponse {
  readonly action: number;
  readonly startedAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
  readonly offset: number;
  readonly total: number;
  readonly digest: string;
}
export const WriteContentResponse: MessageType<WriteContentResponse> = message(() => [
  [1, "action", "int32", "one"],
  [2, "startedAt", "message", "one", Timestamp],
  [3, "updatedAt", "message", "one", Timestamp],
  [4, "offset", "int64", "one"],
  [5, "total", "int64", "one"],
  [6, "digest", "string", "one"],
]);

/** `containerd.services.content.v1.AbortRequest` */
export interface AbortRequest {
  readonly ref: string;
}
export const AbortRequest: MessageType<AbortRequest> = message(() => [
  [1, "ref", "string", "one"],
]);

/** `containerd.services.content.v1.ReadContentRequest` */
export interface ReadContentRequest {
  readonly digest: string;
  readonly offset: number;
  readonly size: number;
}
export const ReadContentRequest: MessageType<ReadContentRequest> = message(() => [
  [1, "digest", "string", "one"],
  [2, "offset", "int64", "one"],
  [3, "size", "int64", "one"],
]);

/** `containerd.services.content.v1.ReadContentResponse` */
export interface ReadContentResponse {
  readonly offset: number;
  readonly data: Uint8Array;
}
export const ReadContentResponse: MessageType<ReadContentResponse> = message(() => [
  [1, "offset", "int64", "one"],
  [2, "data", "bytes", "one"],
]);

/** `containerd.services.content.v1.WriteAction` */
export const WriteAction = {
  STAT: 0,
  WRITE: 1,
  COMMIT: 2,
} as const;

/** `containerd.services.content.v1.Content` */
export const Content = {
  info: method("/containerd.services.content.v1.Content/Info", InfoRequest, InfoResponse),
  update: method("/containerd.services.content.v1.Content/Update", UpdateRequest, UpdateResponse),
  write: method("/containerd.services.content.v1.Content/Write", WriteContentRequest, WriteContentResponse),
  abort: method("/containerd.services.content.v1.Content/Abort", AbortRequest, Empty),
  read: method("/containerd.services.content.v1.Content/Read", ReadContentRequest, ReadContentResponse),
};
