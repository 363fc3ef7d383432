import { connect, constants } from "node:http2";
import { type Clock, describeError } from "@skiff/base";
import type { ProbeResult } from "./probe-result.ts";

const serving = 1;

/** A `HealthCheckRequest` as one gRPC message: five bytes of framing, then field 1, the service's name. */
function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** The `status` of a `HealthCheckResponse`: a message of at most the two bytes `08 STATUS`. */
const statusOf = (message: Buffer): number => (message.length >= 7 && message[5] === 0x08 ? (message[6] ?? 0) : 0);

/** Asks `grpc.health.v1.Health/Check`: two small messages, so no stubs are needed. */
export async function grpcHealth(
  target: { readonly host: string; readonly port: number; readonly service: string },
  { clock, timeoutMs, signal }: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const fails = (message: string) => resolve({ kind: "failure", message });
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  const session = connect(`http://${host}:${target.port}`);
  const stop = () => session.destroy();
  signal.addEventListener("abort", stop, { once: true });
  using _ = clock.after(timeoutMs, () => {
    fails(`timeout: failed to connect service "${target.host}:${target.port}" within ${timeoutMs / 1000}s`);
    session.destroy();
  });
  session.on("error", (error) => fails(`error: failed to connect: ${describeError(error)}`));
  session.on("close", () => fails("error: connection closed"));
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
    [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
    [constants.HTTP2_HEADER_TE]: "trailers",
  });
  const chunks: Buffer[] = [];
  let grpcStatus = "0";
  stream.on("response", (headers) => {
    grpcStatus = String(headers["grpc-status"] ?? grpcStatus);
  });
  stream.on("trailers", (headers) => {
    grpcStatus = String(headers["grpc-status"] ?? grpcStatus);
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", (error) => fails(`error: failed to connect: ${describeError(error.cause ?? error)}`));
  stream.on("end", () => {
    if (grpcStatus === "12")
      fails("error: this server does not implement the grpc health protocol (grpc.health.v1.Health)");
    else if (grpcStatus !== "0") fails(`error: health rpc probe failed with status ${grpcStatus}`);
    else if (statusOf(Buffer.concat(chunks)) !== serving) fails('service unhealthy (responded with "NOT_SERVING")');
    else resolve({ kind: "success" });
  });
  stream.end(frame(target.service));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    session.destroy();
    signal.throwIfAborted();
  }
}
