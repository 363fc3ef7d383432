import type { Service } from "@skiff/api";
import { type EndpointSlice, EndpointSlices, Services } from "@skiff/api";
import { Background, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { Informer, Informers } from "@skiff/client";
import type { Nftables } from "@skiff/host";
import type { Conntrack } from "./conntrack.ts";
import { type DesiredElements, planElements, type ServiceView } from "./plan.ts";
import { type RuleSettings, tableRules } from "./rules.ts";
import { forgetConnections, type StaleTarget } from "./stale-connections.ts";
import { noElements, transactions } from "./transactions.ts";

/** Changes that come together are applied together; a single one waits no longer than this. */
const settleMs = 10;
/** After a transaction that nft refused, the table is made anew. */
const retryMs = 1_000;

export interface ServiceProxyOptions {
  readonly rules: RuleSettings;
  readonly nodeName: string;
  readonly informers: Informers;
  readonly nftables: Nftables;
  readonly conntrack: Conntrack;
  readonly clock: Clock;
  readonly logger: Logger;
}

const serviceIndex = "service";

/** Keeps the node's nft table in step with Services and EndpointSlices. */
export class ServiceProxy implements AsyncDisposable {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #background: Background;
  readonly #subscriptions: Disposable[] = [];
  /** What the table holds; `undefined` when that is not known. */
  #applied: DesiredElements | undefined;
  #wake = Promise.withResolvers<void>();

  private constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#services = options.informers.for(Services);
    this.#slices = options.informers.for(EndpointSlices);
    this.#slices.addIndex(serviceIndex, ({ metadata }) => {
      const name = metadata.labels?.["kubernetes.io/service-name"];
      return name === undefined ? [] : [`${metadata.namespace}/${name}`];
    });
    this.#background = new Background({ logger: options.logger });
  }

  /** Writes the table as it has to be now, then keeps it so. Disposal leaves the table: connections go on. */
  static async start(options: ServiceProxyOptions, signal: AbortSignal): Promise<ServiceProxy> {
    const proxy = new ServiceProxy(options);
    await Promise.all([proxy.#services.whenSynced(signal), proxy.#slices.whenSynced(signal)]);
    await proxy.#sync(signal);
    for (const informer of [proxy.#services, proxy.#slices]) {
      proxy.#subscriptions.push(informer.onChange(() => proxy.#wake.resolve()));
    }
    proxy.#background.run("service proxy", (stop) => proxy.#run(stop));
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#wake.resolve();
    await this.#background[Symbol.asyncDispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      await this.#wake.promise;
      await clock.sleep(settleMs, signal);
      this.#wake = Promise.withResolvers();
      try {
        await this.#sync(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        logger.error(`cannot update the Service rules: ${describeError(error)}`);
        this.#applied = undefined;
        await clock.sleep(retryMs, signal);
        this.#wake.resolve();
      }
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { rules, nodeName, nftables, conntrack } = this.#options;
    const desired = planElements(this.#views(), nodeName);
    const before = this.#applied;
    if (before === undefined) await this.#rebuild(desired, signal);
    else for (const script of transactions(rules.table, before, desired)) await nftables.apply(script, signal);
    this.#applied = desired;
    const stale: readonly StaleTarget[] = before === undefined ? [] : forgetConnections(before, desired);
    for (const target of stale) await conntrack.forget(target, signal);
  }

  /** The table is made anew in one transaction as far as its size allows, so that new connections find no gap. */
  async #rebuild(desired: DesiredElements, signal: AbortSignal): Promise<void> {
    const { rules, nftables } = this.#options;
    const [first, ...rest] = transactions(rules.table, noElements, desired);
    const anew = [`table ip ${rules.table}`, `delete table ip ${rules.table}`, tableRules(rules)];
    await nftables.apply([...anew, first ?? ""].join("\n"), signal);
    for (const script of rest) await nftables.apply(script, signal);
  }

  #views(): readonly ServiceView[] {
    return this.#services.list().map((service) => ({
      service,
      slices: this.#slices.byIndex(serviceIndex, `${service.metadata.namespace}/${service.metadata.name}`),
    }));
  }
}
