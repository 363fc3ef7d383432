import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";

/** gRPC's status numbers that the runtime's callers tell apart. */
const codes: Readonly<Record<number, RuntimeErrorCode>> = {
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  6: "ALREADY_EXISTS",
  7: "PERMISSION_DENIED",
  9: "FAILED_PRECONDITION",
  12: "UNIMPLEMENTED",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

/** The error for what a gRPC call ended with. */
export const grpcError = (status: number, message: string): RuntimeError =>
  new RuntimeError(codes[status] ?? "UNKNOWN", message);

/** The runtime cannot be reached (now). */
export const unavailable = (message: string, cause?: unknown): RuntimeError =>
  new RuntimeError("UNAVAILABLE", message, cause === undefined ? {} : { cause });

/** Whether the runtime says that there is no such thing. */
export const isNotFound = (error: unknown): boolean => error instanceof RuntimeError && error.code === "NOT_FOUND";
