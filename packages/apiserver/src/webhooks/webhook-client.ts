import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request as requestTls } from "node:https";
import { isIP } from "node:net";
import { StatusError, type WebhookClientConfig } from "@skiff/api";
import { abortable, type Clock, isJsonObject, type JsonObject } from "@skiff/base";
import { responseError } from "./response-error.ts";
import type { ServiceConnector } from "./service-connector.ts";
import { transportErrorText } from "./transport-error-text.ts";

/** What calling webhooks takes. */
export interface WebhookClientOptions {
  readonly services: ServiceConnector;
  readonly clock: Clock;
}

/** What the API server shows of itself. PEM texts. */
export interface WebhookCredentials {
  readonly cert?: string;
  readonly key?: string;
  /** A bearer token. */
  readonly token?: string;
}

/** One call of a webhook. */
export interface WebhookCall {
  readonly body: JsonObject;
  /** How long an answer is waited for. */
  readonly timeoutMs: number;
  /** Tells the webhook how long it has, as `?timeout=10s`; true where absent. */
  readonly tellTimeout?: boolean;
  readonly signal: AbortSignal;
  /** Nothing is shown where absent. */
  readonly credentials?: WebhookCredentials;
  /** Only the answer's status counts, not what it says. */
  readonly ignoresAnswer?: boolean;
}

/** Answers larger than this are an attack on memory, not a review. */
const answerLimitBytes = 10 * 1024 * 1024;
const noAnswerInTime = "context deadline exceeded";

interface Address {
  readonly hostname: string;
  /** With the port, where it is shown. */
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  /** The whole, for messages. */
  readonly shown: string;
}

/**
 * Calls webhooks over TLS: those of admission, of conversion, of whatever else is configured by `url` or `service` and a
 * `caBundle`. Connections are kept for the next call.
 */
export class WebhookClient implements Disposable {
  readonly #options: WebhookClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 16, timeout: 90_000 });

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /**
   * Posts a review and gives the answer's body. Throws `StatusError` where the webhook answered with another status than
   * success, and an `Error` worded as Kubernetes words it where it could not be reached, took too long or made no sense.
   */
  async call(config: WebhookClientConfig, call: WebhookCall): Promise<JsonObject> {
    const ending = new AbortController();
    const stop = () => ending.abort(call.signal.reason);
    if (call.signal.aborted) stop();
    call.signal.addEventListener("abort", stop, { once: true });
    const query = call.tellTimeout === false ? "" : `?timeout=${Math.ceil(call.timeoutMs / 1000)}s`;
    const address = addressOf(config, query);
    using _deadline = this.#options.clock.after(call.timeoutMs, () => ending.abort(new Error(noAnswerInTime)));
    try {
      const place = await abortable(this.#place(config, address), ending.signal);
      return await post({
        place: withCredentials(place, call.credentials),
        body: JSON.stringify(call.body),
        agent: this.#agent,
        signal: ending.signal,
        ignoresAnswer: call.ignoresAnswer === true,
      });
    } catch (error) {
      if (error instanceof StatusError && !(error instanceof UnlocatedError)) throw error;
      const late = ending.signal.aborted && !call.signal.aborted;
      const why = late ? noAnswerInTime : transportErrorText(error, address.hostname);
      throw new Error(`Post ${JSON.stringify(address.shown)}: ${why}`, { cause: error });
    } finally {
      call.signal.removeEventListener("abort", stop);
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #place({ service, caBundle }: WebhookClientConfig, address: Address): Promise<RequestOptions> {
    const { hostname, path } = address;
    const ca = caBundle ? { ca: Buffer.from(caBundle, "base64").toString("utf8") } : {};
    const common = { path, headers: { host: address.host }, ...ca };
    if (service === undefined) {
      // Names, not addresses, are what servers are told of.
      const host = hostname.replace(/^\[|\]$/g, "");
      return { ...common, host, port: address.port, ...(isIP(host) === 0 ? { servername: host } : {}) };
    }
    const target = { namespace: service.namespace, name: service.name, port: address.port };
    const found = await this.#options.services.locate(target).catch((error) => {
      throw error instanceof StatusError ? new UnlocatedError(error) : error;
    });
    return { ...common, ...found, servername: hostname };
  }
}

function withCredentials(place: RequestOptions, { cert, key, token }: WebhookCredentials = {}): RequestOptions {
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    ...place,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    headers: { ...place.headers, ...bearer },
  };
}

/** The Service has nobody who answers: no answer of the webhook itself. */
class UnlocatedError extends StatusError {
  constructor(cause: StatusError) {
    super(cause.status);
  }
}

/** Services are shown by their DNS name and port, whatever address they are reached by. */
function addressOf({ url, service }: WebhookClientConfig, query: string): Address {
  if (service !== undefined) {
    const { namespace, name, path = "", port = 443 } = service;
    const hostname = `${name}.${namespace}.svc`;
    return addressAt({ hostname, host: `${hostname}:${port}`, port, path: `${path === "" ? "/" : path}${query}` });
  }
  if (!url) throw new Error("webhook configuration must have either service or URL");
  const { hostname, host, port, pathname } = new URL(url);
  return addressAt({ hostname, host, port: Number(port || "443"), path: `${pathname}${query}` });
}

const addressAt = (place: Omit<Address, "shown">): Address => ({
  ...place,
  shown: `https://${place.host}${place.path}`,
});

interface Post {
  readonly place: RequestOptions;
  readonly body: string;
  readonly agent: Agent;
  readonly signal: AbortSignal;
  readonly ignoresAnswer: boolean;
}

async function post(call: Post, isRetry = false): Promise<JsonObject> {
  const { place, body, agent, signal } = call;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = {
    ...place.headers,
    accept: "application/json, */*",
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": "kube-apiserver-admission",
  };
  const outgoing = requestTls({ ...place, method: "POST", headers, agent, signal }, resolve);
  outgoing.once("error", reject);
  outgoing.end(body);
  let answer: IncomingMessage;
  try {
    answer = await promise;
  } catch (error) {
    // The other end closed a kept connection at the moment it was used again.
    if (outgoing.reusedSocket && !isRetry && !signal.aborted) return await post(call, true);
    throw error;
  }
  outgoing.on("error", () => {});
  const told = await textOf(answer);
  const { statusCode = 0 } = answer;
  return call.ignoresAnswer && statusCode >= 200 && statusCode < 300 ? {} : parsed(answer, told);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > answerLimitBytes) throw new Error("the response of the webhook is too large");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed({ statusCode = 0 }: IncomingMessage, text: string): JsonObject {
  if (statusCode < 200 || statusCode > 299) throw responseError(statusCode, text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StatusError({ ...unreadable, message: `couldn't get version/kind; json parse error: ${why}` });
  }
  if (isJsonObject(value)) return value;
  throw new StatusError({ ...unreadable, message: "couldn't get version/kind; json parse error: not an object" });
}

const unreadable = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  reason: "ServiceUnavailable",
  code: 503,
} as const;
