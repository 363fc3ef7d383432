// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message, method } from "@skiff/grpc";
import { Timestamp, Any } from "./google-protobuf.ts";

/** `containerd.services.events.v1.SubscribeRequest` */
export interface SubscribeRequest {
  readonly filters: readonly string[];
}
export const SubscribeRequest: MessageType<SubscribeRequest> = message(() => [
  [1, "filters", "string", "list"],
]);

/** `containerd.services.events.v1.Envelope` */
export interface Envelope {
  readonly timestamp: Timestamp | undefined;
  readonly namespace: string;
  readonly topic: string;
  readonly event: Any | undefined;
}
export const Envelope: MessageType<Envelope> = message(() => [
  [1, "timestamp", "message", "one", Timestamp],
  [2, "namespace", "string", "one"],
  [3, "topic", "string", "one"],
  [4, "event", "message", "one", Any],
]);

/** `containerd.services.events.v1.Events` */
export const Events = {
  subscribe: method("/containerd.services.events.v1.Events/Subscribe", SubscribeRequest, Envelope),
};
