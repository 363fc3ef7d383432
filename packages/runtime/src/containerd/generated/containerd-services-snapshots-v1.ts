// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Mount } from "./containerd-types.ts";
import { Timestamp, Empty } from "./google-protobuf.ts";

/** `containerd.services.snapshots.v1.PrepareSnapshotRequest` */
export interface PrepareSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
  readonly parent: string;
  readonly labels: Readonly<Record<string, string>>;
}
export const PrepareSnapshotRequest: MessageType<PrepareSnapshotRequest> = message(() => [
  [1, "snapshotter", "string", "one"],
  [2, "key", "string", "one"],
  [3, "parent", "string", "one"],
  [4, "labels", "string", "map"],
]);

/** `containerd.services.snapshots.v1.PrepareSnapshotResponse` */
export interface PrepareSnapshotResponse {
  readonly mounts: readonly Mount[];
}
export const PrepareSnapshotResponse: MessageType<PrepareSnapshotResponse> = message(() => [
  [1, "mounts", "message", "list", Mount],
]);

/** `containerd.services.snapshots.v1.ViewSnapshotRequest` */
export interface ViewSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
  readonly parent: string;
  readonly labels: Readonly<Record<string, string>>;
}
export const ViewSnapshotRequest: MessageType<ViewSnapshotRequest> = message(() => [
  [1, "snapshotter", "string", "one"],
  [2, "key", "string", "one"],
  [3, "parent", "string", "one"],
  [4, "labels", "string", "map"],
]);

/** `containerd.services.snapshots.v1.ViewSnapshotResponse` */
export interface ViewSnapshotResponse {
  readonly mounts: readonly Mount[];
}
export const ViewSnapshotResponse: MessageType<ViewSnapshotResponse> = message(() => [
  [1, "mounts", "message", "list", Mount],
]);

/** `containerd.services.snapshots.v1.CommitSnapshotRequest` */
export interface CommitSnapshotRequest {
  readonly snapshotter: string;
  readonly name: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
}
export const CommitSnapshotRequest: MessageType<CommitSnapshotRequest> = message(() => [
  [1, "snapshotter", "string", "one"],
  [2, "name", "string", "one"],
  [3, "key", "string", "one"],
  [4, "labels", "string", "map"],
]);

/** `containerd.services.snapshots.v1.StatSnapshotRequest` */
export interface StatSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
}
export const StatSnapshotRequest: MessageType<StatSnapshotRequest> = message(() => [
  [1, "snapshotter", "string", "one"],
  [2, "key", "string", "one"],
]);

/** `containerd.services.snapshots.v1.StatSnapshotResponse` */
export interface StatSnapshotResponse {
  readonly info: Info | undefined;
}
export const StatSnapshotResponse: MessageType<StatSnapshotResponse> = message(() => [
  [1, "info", "message", "one", Info],
]);

/** `containerd.services.snapshots.v1.Info` */
export interface Info {
  readonly name: string;
  readonly parent: string;
  readonly kind: number;
  readonly createdAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
  readonly labels: Readonly<Record<string, string>>;
}
export const Info: MessageType<Info> = message(() => [
  [1, "name", "string", "one"],
  [2, "parent", "string", "one"],
  [3, "kind", "int32", "one"],
  [4, "createdAt", "message", "one", Timestamp],
  [5, "updatedAt", "message", "one", Timestamp],
  [6, "labels", "string", "map"],
]);

/** `containerd.services.snapshots.v1.RemoveSnapshotRequest` */
export interface RemoveSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
}
export const RemoveSnapshotRequest: MessageType<RemoveSnapshotRequest> = message(() => [
  [1, "snapshotter", "string", "one"],
  [2, "key", "string", "one"],
]);

/** `containerd.services.snapshots.v1.Kind` */
export const Kind = {
  UNKNOWN: 0,
  VIEW: 1,
  ACTIVE: 2,
  COMMITTED: 3,
} as const;

/** `containerd.services.snapshots.v1.Snapshots` */
export const Snapshots = {
  prepare: method("/containerd.services.snapshots.v1.Snapshots/Prepare", PrepareSnapshotRequest, PrepareSnapshotResponse),
  view: method("/containerd.services.snapshots.v1.Snapshots/View", ViewSnapshotRequest, ViewSnapshotResponse),
  commit: method("/containerd.services.snapshots.v1.Snapshots/Commit", CommitSnapshotRequest, Empty),
  stat: method("/containerd.services.snapshots.v1.Snapshots/Stat", StatSnapshotRequest, StatSnapshotResponse),
  remove: method("/containerd.services.snapshots.v1.Snapshots/Remove", RemoveSnapshotRequest, Empty),
};
