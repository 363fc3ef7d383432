// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message } from "@skiff/grpc";

/** `containerd.types.Descriptor` */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}
export const Descriptor: MessageType<Descriptor> = message(() => [
  [1, "mediaType", "string", "one"],
  [2, "digest", "string", "one"],
  [3, "size", "int64", "one"],
  [5, "annotations", "string", "map"],
]);

/** `containerd.types.Mount` */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}
export const Mount: MessageType<Mount> = message(() => [
  [1, "type", "string", "one"],
  [2, "source", "string", "one"],
  [3, "target", "string", "one"],
  [4, "options", "string", "list"],
]);
