// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Timestamp, Empty } from "./google-protobuf.ts";

/** `containerd.services.leases.v1.CreateRequest` */
export interface CreateRequest {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}
export const CreateRequest: MessageType<CreateRequest> = message(() => [
  [1, "id", "string", "one"],
  [3, "labels", "string", "map"],
]);

/** `containerd.services.leases.v1.CreateResponse` */
export interface CreateResponse {
  readonly lease: Lease | undefined;
}
export const CreateResponse: MessageType<CreateResponse> = message(() => [
  [1, "lease", "message", "one", Lease],
]);

/** `containerd.services.leases.v1.Lease` */
export interface Lease {
  readonly id: string;
  readonly createdAt: Timestamp | undefined;
  readonly labels: Readonly<Record<string, string>>;
}
export const Lease: MessageType<Lease> = message(() => [
  [1, "id", "string", "one"],
  [2, "createdAt", "message", "one", Timestamp],
  [3, "labels", "string", "map"],
]);

/** `containerd.services.leases.v1.DeleteRequest` */
export interface DeleteRequest {
  readonly id: string;
  readonly sync: boolean;
}
export const DeleteRequest: MessageType<DeleteRequest> = message(() => [
  [1, "id", "string", "one"],
  [2, "sync", "bool", "one"],
]);

/** `containerd.services.leases.v1.Leases` */
export const Leases = {
  create: method("/containerd.services.leases.v1.Leases/Create", CreateRequest, CreateResponse),
  delete: method("/containerd.services.leases.v1.Leases/Delete", DeleteRequest, Empty),
};
