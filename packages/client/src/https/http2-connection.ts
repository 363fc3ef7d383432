import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { abortable, type Clock, type Timer } from "@skiff/base";

/** An idle or silent peer is asked for a sign of life this often, and given up after as long again. */
const pingIntervalMs = 15_000;
const streamWindowBytes = 1024 * 1024;
const sessionWindowBytes = 16 * 1024 * 1024;
const connectTimeoutMs = 10_000;

export interface ConnectionOptions {
  /** Or where to try next: asked for each connection. */
  readonly endpoint: string | (() => string);
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly clock: Clock;
}

/** One HTTP/2 session to a server, made on demand, replaced when it broke or the server asked us to go away. */
export class Http2Connection implements AsyncDisposable {
  readonly #options: ConnectionOptions;
  #session: Promise<ClientHttp2Session> | undefined;
  readonly #open = new Set<ClientHttp2Session>();
  #disposed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The caller writes the body and ends the stream. */
  async request(headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<ClientHttp2Stream> {
    if (this.#disposed) throw new Error("the transport is closed");
    this.#session ??= this.#connect();
    const session = await abortable(this.#session, signal);
    // Node takes a DELETE to have no body unless told; ours carry options.
    return session.request(headers, { endStream: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const session of this.#open) session.destroy();
    await this.#session?.catch(() => {});
  }

  #connect(): Promise<ClientHttp2Session> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
    const { endpoint: place } = this.#options;
    const endpoint = typeof place === "string" ? place : place();
    const session = connect(endpoint, this.#sessionOptions());
    this.#open.add(session);
    const forget = () => {
      if (this.#session === promise) this.#session = undefined;
    };
    const timeout = this.#options.clock.after(connectTimeoutMs, () =>
      session.destroy(new Error(`no connection to ${endpoint} within ${connectTimeoutMs} ms`)),
    );
    session.once("connect", () => {
      timeout.cancel();
      session.setLocalWindowSize(sessionWindowBytes);
      this.#keepAlive(session, endpoint);
      resolve(session);
    });
    session.once("goaway", forget);
    session.on("error", (error) => {
      forget();
      reject(error);
    });
    session.once("close", () => {
      timeout.cancel();
      this.#open.delete(session);
      forget();
      reject(new Error(`the connection to ${endpoint} was closed`));
    });
    return promise;
  }

  #sessionOptions(): ClientSessionOptions | SecureClientSessionOptions {
    const { ca, cert, key } = this.#options;
    return {
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }

  /** A peer that is gone without a word (a lost node, a pulled cable) shows only by not answering. */
  #keepAlive(session: ClientHttp2Session, endpoint: string): void {
    let timer: Timer;
    const ask = () => {
      timer = this.#options.clock.after(pingIntervalMs, () =>
        session.destroy(new Error(`${endpoint} does not answer`)),
      );
      const sent = session.ping((error) => {
        timer.cancel();
        if (error === null) rest();
      });
      if (!sent) timer.cancel();
    };
    const rest = () => {
      if (!session.destroyed) timer = this.#options.clock.after(pingIntervalMs, ask);
    };
    rest();
    session.once("close", () => timer.cancel());
  }
}
