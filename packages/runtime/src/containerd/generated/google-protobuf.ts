// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message } from "@skiff/grpc";

/** `google.protobuf.Any` */
export interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}
export const Any: MessageType<Any> = message(() => [
  [1, "type_url", "string", "one"],
  [2, "value", "bytes", "one"],
]);

/** `google.protobuf.Timestamp` */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}
export const Timestamp: MessageType<Timestamp> = message(() => [
  [1, "seconds", "int64", "one"],
  [2, "nanos", "int32", "one"],
]);

/** `google.protobuf.FieldMask` */
export interface FieldMask {
  readonly paths: readonly string[];
}
export const FieldMask: MessageType<FieldMask> = message(() => [
  [1, "paths", "string", "list"],
]);

/** `google.protobuf.Empty` */
export interface Empty {
}
export const Empty: MessageType<Empty> = message(() => [
]);
