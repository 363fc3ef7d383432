import { GrpcStatus } from "@skiff/grpc";

/** Throws `INVALID_ARGUMENT` for what a request must say and does not. */
export function required(fields: Readonly<Record<string, unknown>>): void {
  const missing = Object.entries(fields).find(([, value]) => value === "" || value === undefined);
  if (missing !== undefined) throw new GrpcStatus("INVALID_ARGUMENT", `${missing[0]} missing in request`);
}
