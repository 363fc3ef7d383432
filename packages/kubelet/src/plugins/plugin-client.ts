import type { Clock } from "@skiff/base";
import { GrpcChannel, type Init, type Method, rpcError } from "@skiff/grpc";

/** Speaks to a plugin at its socket. Calls end with `GrpcStatus`, worded as gRPC's own clients word it. */
export class PluginClient implements Disposable {
  readonly #channel: GrpcChannel;

  constructor(socket: string, clock: Clock) {
    this.#channel = new GrpcChannel({
      endpoint: { kind: "unix", path: socket },
      clock,
      peer: "the plugin",
      error: rpcError,
    });
  }

  /** After `deadlineMs` without an answer the call is given up; where absent it is waited for without end. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    options: { readonly signal: AbortSignal; readonly deadlineMs?: number },
  ): Promise<Response> {
    return this.#channel.call(method, request, options);
  }

  stream<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    signal: AbortSignal,
  ): AsyncGenerator<Response> {
    return this.#channel.stream(method, request, { signal });
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }
}
