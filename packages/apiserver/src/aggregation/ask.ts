import { text } from "node:stream/consumers";
import { Services, StatusError } from "@skiff/api";
import type { Clock } from "@skiff/base";
import type { ResourceTable } from "../contracts.ts";
import { send } from "../subresources/pass-request.ts";
import type { AggregatedService, BuiltInService } from "./aggregated-service.ts";
import { type Aggregation, discoveryPath } from "./aggregation.ts";
import { remoteUserHeaders } from "./front-proxy.ts";

/** Discovery is small and should come quickly. */
const timeoutMs = 5_000;

/** Who this server is where it asks for itself. */
const aggregator = { name: "system:kube-aggregator", groups: ["system:masters"] };

/** A document that an aggregated server gave. */
export interface RemoteDocument {
  readonly status: number;
  readonly contentType: string;
  readonly etag: string | undefined;
  readonly body: string;
}

/** What asking aggregated servers in this server's own name takes. */
export interface AskOptions {
  readonly aggregation: Aggregation;
  readonly table: ResourceTable;
  readonly clock: Clock;
}

/** Asks aggregated servers for their documents: discovery, OpenAPI, health. */
export class Asking {
  readonly #options: AskOptions;

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** Gets a document (or deletes, where `method` says so). Rejects, in Kubernetes' words, when there is no answer in time. `trusting`: whoever answers will do. */
  async get(
    service: AggregatedService,
    path: string,
    options: {
      readonly method?: "GET" | "DELETE";
      readonly accept: string;
      readonly trusting: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<RemoteDocument> {
    const { aggregation, clock } = this.#options;
    const { signal } = options;
    signal.throwIfAborted();
    if (service.builtIn !== undefined) return readBuiltIn(service.builtIn, path);
    const ending = new AbortController();
    const stop = () => ending.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    using _limit = clock.after(timeoutMs, () => ending.abort());
    try {
      const found = await aggregation.target(service, path);
      const target = options.trusting ? { ...found, tls: { ...found.tls, rejectUnauthorized: false } } : found;
      const headers = { accept: options.accept, "user-agent": "kube-aggregator", ...remoteUserHeaders(aggregator) };
      const { status, contentType, message } = await send(target, {
        method: options.method ?? "GET",
        headers,
        body: undefined,
        signal: ending.signal,
      });
      return { status, contentType, etag: message.headers.etag, body: await text(message) };
    } catch (error) {
      if (ending.signal.aborted && !signal.aborted) {
        throw new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", { cause: error });
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Resolves when the server behind a service tells its discovery; rejects with what Kubernetes says of it. */
  async check(service: AggregatedService, signal: AbortSignal): Promise<void> {
    const path = discoveryPath(service);
    const url = `https://${this.#shownAddress(service)}${path}`;
    const fail = (why: string) => new Error(`failing or missing response from ${url}: ${why}`);
    let status: number;
    try {
      ({ status } = await this.get(service, path, { accept: "application/json, */*", trusting: true, signal }));
    } catch (error) {
      if (signal.aborted) throw error;
      throw fail(`Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (status < 200 || status > 299) throw fail(`bad status from ${url}: ${status}`);
  }

  #shownAddress({ namespace, name, port }: AggregatedService): string {
    const address = this.#options.table.of(Services).peek({ namespace, name })?.spec?.clusterIP;
    return `${address === undefined || address === "None" ? `${name}.${namespace}.svc` : address}:${port}`;
  }
}

function readBuiltIn(builtIn: BuiltInService, path: string): RemoteDocument {
  const answer = (status: number, value: object): RemoteDocument => ({
    status,
    contentType: "application/json",
    etag: undefined,
    body: JSON.stringify(value),
  });
  try {
    return answer(200, builtIn.read(path));
  } catch (error) {
    if (error instanceof StatusError) return answer(error.code, error.status);
    throw error;
  }
}
