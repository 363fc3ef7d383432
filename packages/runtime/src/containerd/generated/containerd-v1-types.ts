// Written by protos/generate.ts from the .proto files; do not edit.
import { type MessageType, message } from "@skiff/grpc";
import { Timestamp } from "./google-protobuf.ts";

/** `containerd.v1.types.Process` */
export interface Process {
  readonly containerId: string;
  readonly id: string;
  readonly pid: number;
  readonly status: number;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly exitStatus: number;
  readonly exitedAt: Timestamp | undefined;
}
export const Process: MessageType<Process> = message(() => [
  [1, "containerId", "string", "one"],
  [2, "id", "string", "one"],
  [3, "pid", "uint32", "one"],
  [4, "status", "int32", "one"],
  [5, "stdin", "string", "one"],
  [6, "stdout", "string", "one"],
  [7, "stderr", "string", "one"],
  [8, "terminal", "bool", "one"],
  [9, "exitStatus", "uint32", "one"],
  [10, "exitedAt", "message", "one", Timestamp],
]);

/** `containerd.v1.types.Status` */
export const Status = {
  UNKNOWN: 0,
  CREATED: 1,
  RUNNING: 2,
  STOPPED: 3,
  PAUSED: 4,
  PAUSING: 5,
} as const;
