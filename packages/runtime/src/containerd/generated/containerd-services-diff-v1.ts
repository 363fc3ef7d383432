// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Descriptor, Mount } from "./containerd-types.ts";
import { Any } from "./google-protobuf.ts";

/** `containerd.services.diff.v1.ApplyRequest` */
export interface ApplyRequest {
  readonly diff: Descriptor | undefined;
  readonly mounts: readonly Mount[];
  readonly payloads: Readonly<Record<string, Any>>;
}
export const ApplyRequest: MessageType<ApplyRequest> = message(() => [
  [1, "diff", "message", "one", Descriptor],
  [2, "mounts", "message", "list", Mount],
  [3, "payloads", "message", "map", Any],
]);

/** `containerd.services.diff.v1.ApplyResponse` */
export interface ApplyResponse {
  readonly applied: Descriptor | undefined;
}
export const ApplyResponse: MessageType<ApplyResponse> = message(() => [
  [1, "applied", "message", "one", Descriptor],
]);

/** `containerd.services.diff.v1.Diff` */
export const Diff = {
  apply: method("/containerd.services.diff.v1.Diff/Apply", ApplyRequest, ApplyResponse),
};
