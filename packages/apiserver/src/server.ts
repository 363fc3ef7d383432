import {
  type APIService,
  CustomResourceDefinitions,
  Events,
  Namespaces,
  type ResourceDefinition,
  Services,
  servedResources,
  type Transport,
} from "@skiff/api";
import type { Clock, JsonObject, Logger, Random } from "@skiff/base";
import type { Store } from "@skiff/store";
import { checkExpressions } from "./admission/policies/expression-hooks.ts";
import { aggregatedService } from "./aggregation/aggregated-service.ts";
import { type AggregatedRemains, emptyAggregated } from "./aggregation/empty-namespace.ts";
import { readAggregated } from "./aggregation/read-aggregated.ts";
import { repairClaims } from "./allocation/repair-claims.ts";
import { WatchCache } from "./cache/watch-cache.ts";
import type { UserInfo } from "./contracts.ts";
import { CustomResources, holdDefinition } from "./custom-resources/custom-resources.ts";
import { checkDefinitionRules } from "./custom-resources/rules/rule-hooks.ts";
import { checkClaimPermissions } from "./device-claims/claim-permits.ts";
import { Listener, type ListenOptions } from "./http/listener.ts";
import { RequestLine } from "./http/request-line.ts";
import { InProcessTransport } from "./in-process.ts";
import type { StandardParts } from "./standard-parts-options.ts";
import { AdmissionChain } from "./storage/admission-chain.ts";
import { LeasePool } from "./storage/lease-pool.ts";
import { StorageTable } from "./storage/storage-table.ts";
import { Bookmarks } from "./watch/bookmarks.ts";
import { EventEncoder } from "./watch/event-encoder.ts";

/** Kubernetes keeps Events for an hour. */
const usualEventTtlMs = 60 * 60_000;

/** What an API server is made of. */
export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What is served; where absent, all built-in resources that are generally available. */
  readonly resources?: readonly ResourceDefinition[];
  /** Makes what plugs into the request's line: `(table) => standardParts({ table, … })`. */
  parts(table: StorageTable): StandardParts;
  /** How long Events are kept; an hour where absent. */
  readonly eventTtlMs?: number;
  /** So long the server goes on answering after it said that it is not ready any more; 0 where absent. */
  readonly shutdownDelayMs?: number;
}

/**
 * An API server on a store. It serves components in the same process at once (`transport`), and clients over TLS after
 * `listen`. Disposing of it ends watches, lets requests finish and closes its ports; the store stays open.
 *
 * @example
 * await using server = await createApiServer({ store, clock, random, logger, parts: (table) => standardParts({ table, … }) });
 * const { port } = await server.listen({ host: "127.0.0.1", port: 6443, tls });
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, logger } = options;
  const cache = await WatchCache.open({ store, clock, logger });
  const admission = new AdmissionChain();
  const environment = { store, cache, clock, random, admission, leases: new LeasePool(store, clock) };
  const table = new StorageTable(options.resources ?? servedResources(), environment);
  const parts = options.parts(table);
  admission.install(parts.admission, parts.admissionSteps);
  if (table.find(Services) !== undefined) table.hook(Services, parts.allocation);
  if (table.find(Events) !== undefined) table.hook(Events, { ttlMs: options.eventTtlMs ?? usualEventTtlMs });
  if (table.find(Namespaces) !== undefined) {
    table.hook(Namespaces, {
      marked(namespace) {
        namespace.status = { ...namespace.status, phase: "Terminating" };
      },
    });
  }
  checkExpressions(table);
  checkClaimPermissions(table, parts.authorizer);
  await repairClaims({ store, table, clock, random });
  return new ApiServer({
    clock,
    random,
    shutdownDelayMs: options.shutdownDelayMs ?? 0,
    logger,
    cache,
    table,
    parts,
    customResources: followDefinitions(options, table, parts),
  });
}

function followDefinitions(
  { clock, random, logger }: ApiServerOptions,
  table: StorageTable,
  { webhooks }: StandardParts,
): CustomResources | undefined {
  if (table.find(CustomResourceDefinitions) === undefined) return undefined;
  table.hook(CustomResourceDefinitions, {
    check: checkDefinitionRules,
    removing: (definition) => holdDefinition(definition, clock.now()),
  });
  return new CustomResources({ table, clock, random, webhooks, logger: logger.named("custom-resources") });
}

/** See `createApiServer`. */
export class ApiServer implements AsyncDisposable {
  /** Every resource that is served. */
  readonly table: StorageTable;
  readonly parts: StandardParts;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #shutdownDelayMs: number;
  readonly #logger: Logger;
  readonly #cache: WatchCache;
  readonly #bookmarks: Bookmarks;
  readonly #line: RequestLine;
  readonly #customResources: CustomResources | undefined;
  readonly #listeners = new Set<Listener>();

  constructor(made: {
    readonly clock: Clock;
    readonly random: Random;
    readonly shutdownDelayMs: number;
    readonly logger: Logger;
    readonly cache: WatchCache;
    readonly table: StorageTable;
    readonly parts: StandardParts;
    readonly customResources: CustomResources | undefined;
  }) {
    const { clock, logger, table, parts } = made;
    this.table = table;
    this.parts = parts;
    this.#clock = clock;
    this.#random = made.random;
    this.#shutdownDelayMs = made.shutdownDelayMs;
    this.#logger = logger;
    this.#cache = made.cache;
    this.#customResources = made.customResources;
    this.#bookmarks = new Bookmarks(clock);
    const encoder = new EventEncoder();
    this.#line = new RequestLine({ parts, table, bookmarks: this.#bookmarks, encoder, clock, logger });
  }

  /** The API for a component in this process that acts as `user`. */
  transport(user: UserInfo): Transport {
    return new InProcessTransport({ parts: this.parts, table: this.table, logger: this.#logger, user });
  }

  /** Resolves when the server behind an APIService tells its discovery; rejects with what Kubernetes says of it. */
  async checkDiscovery(service: APIService, signal: AbortSignal): Promise<void> {
    const aggregated = aggregatedService(service);
    if (aggregated !== undefined) await this.parts.asking.check(aggregated, signal);
  }

  /** Deletes what a namespace holds of the objects of the server behind an APIService, and says what is left. */
  async emptyAggregated(
    service: APIService,
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly AggregatedRemains[]> {
    const aggregated = aggregatedService(service);
    if (aggregated === undefined) return [];
    return await emptyAggregated(this.parts.asking, aggregated, { namespace, signal });
  }

  /** GETs a path of a group that other servers answer (or this one as they would). Throws `StatusError`. */
  async readAggregated(url: string, signal: AbortSignal): Promise<JsonObject> {
    const { aggregation, asking } = this.parts;
    return await readAggregated({ aggregation, asking }, url, signal);
  }

  /** Serves the API over TLS. Rejects when the port cannot be had. */
  async listen(options: ListenOptions): Promise<Listener> {
    const listener = await Listener.open({
      ...options,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
      serve: (exchange) => this.#line.serve(exchange),
    });
    this.#listeners.add(listener);
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.parts.lifecycle.isStopping = true;
    if (this.#shutdownDelayMs > 0 && this.#listeners.size > 0)
      await this.#clock.sleep(this.#shutdownDelayMs, new AbortController().signal);
    await Promise.all([...this.#listeners].map((listener) => listener[Symbol.asyncDispose]()));
    await this.#customResources?.[Symbol.asyncDispose]();
    this.#line[Symbol.dispose]();
    this.#bookmarks[Symbol.dispose]();
    await this.parts.metricsApi?.[Symbol.asyncDispose]();
    this.parts.webhooks[Symbol.dispose]();
    this.#cache[Symbol.dispose]();
  }
}
