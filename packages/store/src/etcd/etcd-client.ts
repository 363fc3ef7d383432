import { type BackoffPolicy, backoffDelayMs, type Clock } from "@skiff/base";
import { type Duplex, GrpcChannel, type GrpcEndpoint, type Init, type Method } from "@skiff/grpc";
import { InvalidRequestError } from "../store.ts";
import { EtcdError, isTransient, isUnsent } from "./etcd-errors.ts";

/** One attempt at a call, and all of them together, take so long at most. */
const attemptMs = 5_000;
const callMs = 15_000;
/** A connection on which nothing comes back for so long is given up. */
const keepAliveMs = 10_000;

/** How long to wait between attempts and connections. */
export const etcdBackoff: BackoffPolicy = { initialMs: 50, maxMs: 2_000 };

export interface EtcdClientOptions {
  /** `https://host:port`, or `http://` for one without TLS. */
  readonly endpoints: readonly string[];
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly clock: Clock;
}

/** Calls to the members of an etcd: to one of them until it fails, then to the next. */
export class EtcdClient implements Disposable {
  readonly #channels: readonly GrpcChannel[];
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #current = 0;

  constructor({ endpoints, tls, clock }: EtcdClientOptions) {
    if (endpoints.length === 0) throw new InvalidRequestError("etcd needs an endpoint at least");
    this.#clock = clock;
    this.#channels = endpoints.map((text) => {
      const endpoint = parseEndpoint(text, tls);
      const error = (code: EtcdError["code"], message: string, cause?: unknown) => new EtcdError(code, message, cause);
      return new GrpcChannel({ endpoint, clock, peer: `etcd at ${text}`, keepAliveMs, error });
    });
  }

  /**
   * Asks until there is an answer or the time is over. With `repeatable`, what may have been done already is asked for again;
   * otherwise only what certainly was not.
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    { repeatable }: { readonly repeatable: boolean },
  ): Promise<Response> {
    const endsAtMs = this.#clock.monotonic() + callMs;
    const { signal } = this.#closed;
    for (let failures = 1; ; failures++) {
      const used = this.#current;
      try {
        return await this.#channel(used).call(method, request, { signal, deadlineMs: attemptMs });
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.leave(used);
        const delayMs = backoffDelayMs(etcdBackoff, failures);
        const mayRepeat = repeatable || isUnsent(error);
        if (!mayRepeat || this.#clock.monotonic() + delayMs > endsAtMs) throw error;
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  /** A stream in both directions with the member that is spoken to now; `member` names it for `leave`. */
  open<Request, Response>(
    method: Method<Request, Response>,
    signal: AbortSignal,
  ): { readonly stream: Duplex<Request, Response>; readonly member: number } {
    const member = this.#current;
    return { stream: this.#channel(member).duplex(method, { signal }), member };
  }

  /** Goes on with the next member, unless somebody else has left this one already. */
  leave(member: number): void {
    if (this.#current === member) this.#current = (member + 1) % this.#channels.length;
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new EtcdError("CANCELLED", "the connection to etcd is closed"));
    for (const channel of this.#channels) channel[Symbol.dispose]();
  }

  #channel(member: number): GrpcChannel {
    const channel = this.#channels[member];
    if (channel === undefined) throw new InvalidRequestError(`there is no endpoint ${member}`);
    return channel;
  }
}

function parseEndpoint(text: string, tls: EtcdClientOptions["tls"]): GrpcEndpoint {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new InvalidRequestError(`${text} is not an endpoint of etcd: give https://HOST:PORT`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const place = { kind: "tcp", host, port: url.port === "" ? 2379 : Number(url.port) } as const;
  return url.protocol === "https:" ? { ...place, tls: tls ?? {} } : place;
}
