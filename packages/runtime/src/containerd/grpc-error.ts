import { type ChannelOptions, GrpcChannel, type GrpcCode } from "@skiff/grpc";
import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";

/** gRPC's statuses that the runtime's callers tell apart. */
const codes: ReadonlyMap<GrpcCode, RuntimeErrorCode> = new Map(
  (
    [
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "FAILED_PRECONDITION",
      "UNIMPLEMENTED",
      "UNAVAILABLE",
      "UNAUTHENTICATED",
    ] as const
  ).map((code) => [code, code]),
);

/** A channel to the runtime's socket; its calls end with `RuntimeError`. */
export const runtimeChannel = (path: string, clock: ChannelOptions["clock"]): GrpcChannel =>
  new GrpcChannel({
    endpoint: { kind: "unix", path },
    clock,
    peer: "the runtime",
    error: (code, message, cause) =>
      new RuntimeError(codes.get(code) ?? "UNKNOWN", message, cause === undefined ? {} : { cause }),
  });

/** The runtime cannot be reached (now). */
export const unavailable = (message: string, cause?: unknown): RuntimeError =>
  new RuntimeError("UNAVAILABLE", message, cause === undefined ? {} : { cause });

/** Whether the runtime says that there is no such thing. */
export const isNotFound = (error: unknown): boolean => error instanceof RuntimeError && error.code === "NOT_FOUND";

/**
 * Whether a call failed for want of time or of somebody who answers, and may succeed another time. Of what was cut short inside
 * of the runtime (a network plugin that was killed, for one) only the text tells, in many ways.
 */
export const isPassing = (error: unknown): boolean =>
  error instanceof RuntimeError &&
  (error.code === "DEADLINE_EXCEEDED" || error.code === "UNAVAILABLE" || error.code === "UNKNOWN");
