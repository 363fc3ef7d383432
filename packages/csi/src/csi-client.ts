import type { Clock } from "@skiff/base";
import { GrpcChannel, type Init, type Method, rpcError } from "@skiff/grpc";

const callMs = 120_000;

/** What a driver's socket answers. Calls end with `GrpcStatus`, worded as gRPC's own clients word it. */
export class CsiClient implements Disposable {
  readonly #channel: GrpcChannel;

  constructor(socket: string, clock: Clock) {
    this.#channel = new GrpcChannel({
      endpoint: { kind: "unix", path: socket },
      clock,
      peer: "the storage driver",
      error: rpcError,
    });
  }

  call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    signal: AbortSignal,
  ): Promise<Response> {
    return this.#channel.call(method, request, { signal, deadlineMs: callMs });
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }
}
