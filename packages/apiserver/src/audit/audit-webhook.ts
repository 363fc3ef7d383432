import { abortable, Background, type Clock, describeError, type JsonObject, type Logger } from "@skiff/base";
import type { RemoteServer } from "../webhooks/remote-server.ts";
import type { WebhookClient } from "../webhooks/webhook-client.ts";
import type { AuditSink } from "./audited.ts";

/** As many events wait at most; what comes then is lost, and counted. */
const waitingLimit = 10_000;
const batchLimit = 400;
const usualWaitMs = 30_000;
const timeoutMs = 30_000;
/** Kubernetes tries five times, waiting half as long again each time. */
const attempts = 5;
const firstRetryMs = 10_000;
const retryFactor = 1.5;

/** What sending events to a server takes. */
export interface AuditWebhookOptions {
  readonly client: Pick<WebhookClient, "call">;
  readonly server: RemoteServer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the first event of a batch waits for others; half a minute where absent. */
  readonly maxWaitMs?: number;
}

/** Sends events to a server, many at a time, and never makes a request wait for it. */
export class AuditWebhook implements AuditSink, AsyncDisposable {
  readonly #options: AuditWebhookOptions;
  readonly #background: Background;
  #waiting: JsonObject[] = [];
  #awake: (() => void) | undefined;
  /** Events that were lost because the server was away or too slow. */
  dropped = 0;

  constructor(options: AuditWebhookOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
    this.#background.run("audit webhook", (signal) => this.#run(signal));
  }

  write(event: JsonObject): void {
    if (this.#waiting.length >= waitingLimit) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length === 1 || this.#waiting.length >= batchLimit) this.#awake?.();
  }

  /** Sends what waits, once, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
    const left = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < left.length; at += batchLimit) {
      await this.#post(left.slice(at, at + batchLimit)).catch((error: unknown) => this.#lost(error, left.length - at));
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, maxWaitMs = usualWaitMs } = this.#options;
    while (!signal.aborted) {
      if (this.#waiting.length === 0) await this.#until(signal);
      if (this.#waiting.length < batchLimit) {
        using timer = new Waking(clock, maxWaitMs, () => this.#awake?.());
        while (this.#waiting.length < batchLimit && !timer.isOver && !signal.aborted) await this.#until(signal);
      }
      if (signal.aborted) return;
      await this.#send(this.#waiting.splice(0, batchLimit), signal);
    }
  }

  /** Waits until something is to be looked at. */
  async #until(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awake = resolve;
    await abortable(promise, signal).catch(() => {});
    this.#awake = undefined;
  }

  async #send(batch: readonly JsonObject[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let delayMs = firstRetryMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#post(batch);
      } catch (error) {
        if (attempt === attempts || signal.aborted) return this.#lost(error, batch.length);
        await clock.sleep(delayMs, signal).catch(() => {});
        delayMs *= retryFactor;
      }
    }
  }

  async #post(batch: readonly JsonObject[]): Promise<void> {
    const { client, server } = this.#options;
    const body = { kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items: [...batch] };
    const config = {
      url: server.url,
      ...(server.ca === undefined ? {} : { caBundle: Buffer.from(server.ca).toString("base64") }),
    };
    const { signal } = new AbortController();
    const how = { timeoutMs, tellTimeout: false, ignoresAnswer: true, credentials: server, signal };
    await client.call(config, { body, ...how });
  }

  #lost(error: unknown, events: number): void {
    this.dropped += events;
    this.#options.logger.error(`${events} audit events could not be sent: ${describeError(error)}`);
  }
}

/** A time that comes, and says so once. */
class Waking implements Disposable {
  isOver = false;
  readonly #timer: { cancel(): void };

  constructor(clock: Clock, delayMs: number, wake: () => void) {
    this.#timer = clock.after(delayMs, () => {
      this.isOver = true;
      wake();
    });
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
