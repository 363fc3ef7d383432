import type { GrpcCode } from "@skiff/grpc";
import {
  FutureRevisionError,
  InvalidRequestError,
  LeaseNotFoundError,
  ReadOnlyError,
  StoreUnavailableError,
} from "../store.ts";

/** What a call to etcd ended with: gRPC's status and etcd's own text. */
export class EtcdError extends Error {
  override name = "EtcdError";
  readonly code: GrpcCode;
  constructor(code: GrpcCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** History was compacted beyond what was asked for; from where on it is left must be asked separately. */
export const isCompacted = (error: unknown): boolean =>
  error instanceof EtcdError && error.message.includes("required revision has been compacted");

/** The error that a store's caller understands. */
export function storeErrorOf(error: unknown): unknown {
  if (!(error instanceof EtcdError)) return error;
  const { code, message } = error;
  if (message.includes("required revision is a future revision")) {
    return new FutureRevisionError("the revision does not exist yet", { cause: error });
  }
  if (message.includes("requested lease not found")) return new LeaseNotFoundError("lease not found", { cause: error });
  if (message.includes("database space exceeded")) {
    return new ReadOnlyError("the store cannot write: etcd's space is used up", { cause: error });
  }
  if (code === "INVALID_ARGUMENT") return new InvalidRequestError(message, { cause: error });
  return new StoreUnavailableError(message, { cause: error });
}

/** Causes of a connection that was never made: what was asked for on it has not happened. */
const neverSent = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** True where the call certainly did nothing, so that it may be made again. */
export function isUnsent(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && neverSent.has(at.code)) return true;
    if (at.message.includes("etcdserver: no leader")) return true;
  }
  return false;
}

/** True where another endpoint, or the same one a little later, may do better. */
export const isTransient = (error: unknown): boolean =>
  error instanceof EtcdError && (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED");
