import { type APIService, APIServices } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import type { Exchange, ResourceStorage, ResourceTable, UserInfo } from "../contracts.ts";
import { forwardedHeaders, wantsUpgrade } from "../subresources/forwarded-headers.ts";
import { passRequest } from "../subresources/pass-request.ts";
import { passUpgrade } from "../subresources/pass-upgrade.ts";
import type { Target } from "../subresources/target.ts";
import type { ServiceConnector } from "../webhooks/service-connector.ts";
import { transportErrorText } from "../webhooks/transport-error-text.ts";
import { type AggregatedService, aggregatedService, trustOf } from "./aggregated-service.ts";
import { type FrontProxy, isRemoteHeader, remoteUserHeaders } from "./front-proxy.ts";

/** What aggregation is made of. */
export interface AggregationOptions {
  readonly table: ResourceTable;
  readonly services: ServiceConnector;
  /** Aggregated servers take nobody's word where absent. */
  readonly frontProxy: FrontProxy | undefined;
  readonly logger: Logger;
}

/** Groups and versions that other servers answer: which they are, and the way there. */
export class Aggregation {
  readonly #options: AggregationOptions;
  #known: ResourceStorage<APIService> | undefined;
  #seen = -1;
  #services: ReadonlyMap<string, AggregatedService> = new Map();

  constructor(options: AggregationOptions) {
    this.#options = options;
  }

  /** All of them, by `GROUP/VERSION`; the same map until an APIService changes. */
  services(): ReadonlyMap<string, AggregatedService> {
    const storage = this.#storage();
    if (storage === undefined) return this.#services;
    const newest = storage.lastRevision;
    if (newest === this.#seen) return this.#services;
    this.#seen = newest;
    const found = new Map<string, AggregatedService>();
    for (const item of storage.peekAll()) {
      const service = aggregatedService(item);
      if (service !== undefined) found.set(`${service.group}/${service.version}`, service);
    }
    this.#services = found;
    return found;
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

  /** The same by path: `/apis/GROUP/VERSION` and all below it. */
  findPath(path: string): AggregatedService | undefined {
    if (this.services().size === 0) return undefined;
    const [, top, group = "", version = ""] = path.split("/");
    if (top === "api") return this.find("", group);
    return top === "apis" ? this.find(group, version) : undefined;
  }

  /** Passes a request on as that of `user`, and the answer back. Says 503 where the server is not there. */
  async pass(exchange: Exchange, service: AggregatedService, user: UserInfo): Promise<void> {
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

const withoutRemote = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !isRemoteHeader(name)));

function refuse(exchange: Exchange, text: string): void {
  exchange.setHeader("x-content-type-options", "nosniff");
  exchange.respond({ status: 503, contentType: "text/plain; charset=utf-8", body: `${text}\n` });
}
