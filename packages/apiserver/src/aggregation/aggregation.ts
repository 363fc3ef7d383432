import { type APIService, APIServices } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import type { Exchange, RequestInfo, ResourceStorage, ResourceTable, UserInfo } from "../contracts.ts";
import { forwardedHeaders, wantsUpgrade } from "../subresources/forwarded-headers.ts";
import { passRequest } from "../subresources/pass-request.ts";
import { passUpgrade } from "../subresources/pass-upgrade.ts";
import type { Target } from "../subresources/target.ts";
import type { ServiceConnector } from "../webhooks/service-connector.ts";
import { transportErrorText } from "../webhooks/transport-error-text.ts";
import {
  type AggregatedService,
  aggregatedService,
  type BuiltInService,
  builtInAmong,
  trustOf,
} from "./aggregated-service.ts";
import { type FrontProxy, isRemoteHeader, remoteUserHeaders } from "./front-proxy.ts";

/** What aggregation is made of. */
export interface AggregationOptions {
  readonly table: ResourceTable;
  readonly services: ServiceConnector;
  /** Aggregated servers take nobody's word where absent. */
  readonly frontProxy: FrontProxy | undefined;
  readonly logger: Logger;
  /** What this server answers itself in the same way. */
  readonly builtIn?: readonly BuiltInService[];
}

/** Groups and versions that other servers answer: which they are, and the way there. */
export class Aggregation {
  readonly #options: AggregationOptions;
  #known: ResourceStorage<APIService> | undefined;
  #seen = -1;
  #services: ReadonlyMap<string, AggregatedService>;
  #prefixes: readonly { readonly path: string; readonly service: AggregatedService }[] = [];
  readonly #builtIn: readonly AggregatedService[];

  constructor(options: AggregationOptions) {
    this.#options = options;
    this.#builtIn = (options.builtIn ?? []).map(builtInAmong);
    this.#services = new Map();
    this.#set(this.#builtIn);
  }

  /** All of them, by `GROUP/VERSION`; the same map until an APIService changes. */
  services(): ReadonlyMap<string, AggregatedService> {
    const storage = this.#storage();
    if (storage === undefined) return this.#services;
    const newest = storage.lastRevision;
    if (newest === this.#seen) return this.#services;
    this.#seen = newest;
    const elsewhere = storage.peekAll().flatMap((item) => aggregatedService(item) ?? []);
    this.#set([...this.#builtIn, ...elsewhere]);
    return this.#services;
  }

  /** Every APIService there is, those that this server answers itself included. */
  all(): readonly APIService[] {
    return this.#storage()?.peekAll() ?? [];
  }

  /** The server that answers for a group and version; `undefined` for this one. */
  find(group: string, version: string): AggregatedService | undefined {
    const services = this.services();
    return services.size === 0 ? undefined : services.get(`${group}/${version}`);
  }

  /** True while this server answers everything itself. */
  get isAlone(): boolean {
    for (const { builtIn } of this.services().values()) if (builtIn === undefined) return false;
    return true;
  }

  /** The same by path: `/apis/GROUP/VERSION` and all below it. */
  findPath(path: string): AggregatedService | undefined {
    if (this.services().size === 0) return undefined;
    for (const { path: prefix, service } of this.#prefixes) {
      if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/")) return service;
    }
    return undefined;
  }

  /** Passes a request on as that of `user`, and the answer back. Says 503 where the server is not there. */
  async pass(
    exchange: Exchange,
    service: AggregatedService,
    from: { readonly user: UserInfo; readonly info: RequestInfo },
  ): Promise<void> {
    const { user, info } = from;
    if (service.builtIn !== undefined) return await service.builtIn.serve(exchange, info);
    if (!service.available) return refuse(exchange, "service unavailable");
    let target: Target;
    try {
      target = await this.target(service, exchange.url);
    } catch (error) {
      const { namespace, name } = service;
      this.#options.logger.warn(`cannot resolve service ${namespace}/${name}: ${describeError(error)}`);
      return refuse(exchange, "service unavailable");
    }
    const headers = { ...withoutRemote(forwardedHeaders(exchange)), ...remoteUserHeaders(user) };
    try {
      await (wantsUpgrade(exchange) ? passUpgrade : passRequest)(exchange, target, headers);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      refuse(exchange, `error trying to reach service: ${error.message}`);
    }
  }

  #set(services: readonly AggregatedService[]): void {
    this.#services = new Map(services.map(byPlace));
    this.#prefixes = [...this.#services.values()].map((service) => ({ path: discoveryPath(service), service }));
  }

  #storage(): ResourceStorage<APIService> | undefined {
    const { table } = this.#options;
    if (this.#known === undefined && table.find(APIServices) !== undefined) this.#known = table.of(APIServices);
    return this.#known;
  }

  /** Where a path of the server behind a service is. Throws `StatusError` where nobody answers for the Service. */
  async target(service: AggregatedService, path: string): Promise<Target> {
    const { services, frontProxy } = this.#options;
    const { namespace, name, port } = service;
    const place = await services.locate({ namespace, name, port });
    const failure = (error: unknown) => new UnreachableError(error, `${name}.${namespace}.svc`);
    return { ...place, path, tls: trustOf(service, frontProxy), failure };
  }
}

/** No connection could be made, or it broke before there was an answer. */
class UnreachableError extends Error {
  override name = "UnreachableError";
  readonly code = "UNREACHABLE";

  constructor(cause: unknown, hostname: string) {
    super(transportErrorText(cause, hostname), { cause });
  }
}

const byPlace = (service: AggregatedService): [string, AggregatedService] => [
  `${service.group}/${service.version}`,
  service,
];

/** `/apis/GROUP/VERSION`. */
export const discoveryPath = ({ group, version }: Pick<AggregatedService, "group" | "version">): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;

const withoutRemote = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !isRemoteHeader(name)));

function refuse(exchange: Exchange, text: string): void {
  exchange.setHeader("x-content-type-options", "nosniff");
  exchange.respond({ status: 503, contentType: "text/plain; charset=utf-8", body: `${text}\n` });
}
