import { refusals, type Transport, type TransportRequest, type WatchEvent } from "@skiff/api";
import type { JsonObject } from "@skiff/base";

/** A transport to a server that may go and come back. What is under way when it goes breaks off: nobody learns whether it was done. */
export class RestartableTransport implements Transport {
  #server: { readonly inner: Transport; readonly life: AbortController } | undefined;

  /** From now on `inner` answers. */
  up(inner: Transport): void {
    this.#server = { inner, life: new AbortController() };
  }

  /** From now on nobody does. */
  down(): void {
    const server = this.#server;
    this.#server = undefined;
    server?.life.abort();
  }

  async send(request: TransportRequest, signal: AbortSignal): Promise<JsonObject> {
    const { inner, life } = this.#present();
    const answer = await inner.send(request, signal);
    if (life.signal.aborted) throw refusals.unavailable("the server went before it had answered");
    return answer;
  }

  watch(request: TransportRequest, signal: AbortSignal): AsyncIterable<WatchEvent> {
    const { inner, life } = this.#present();
    return inner.watch(request, AbortSignal.any([signal, life.signal]));
  }

  #present(): { readonly inner: Transport; readonly life: AbortController } {
    if (this.#server === undefined) throw refusals.unavailable("the server is down");
    return this.#server;
  }
}
