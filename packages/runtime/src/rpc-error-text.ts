import { RuntimeError, type RuntimeErrorCode } from "./runtime.ts";

/** `NOT_FOUND` → `NotFound`. */
const codeName = (code: RuntimeErrorCode): string =>
  code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A failure of the runtime's as gRPC clients say it, code and all; other failures as they are. */
export const rpcErrorText = (error: unknown): string =>
  error instanceof RuntimeError
    ? `rpc error: code = ${codeName(error.code)} desc = ${error.message}`
    : error instanceof Error
      ? error.message
      : String(error);
