import { type EndpointSlice, EndpointSlices, type Node, Nodes, type Service, Services } from "@skiff/api";
import { abortable, Background, type Clock, describeError, isAbort, type Logger } from "@skiff/base";
import type { CacheChange, Informer, Informers } from "@skiff/client";
import type { Nftables } from "@skiff/host";
import type { Conntrack } from "./conntrack.ts";
import { emptyElements, type TableElements } from "./elements.ts";
import { HealthChecks } from "./health-checks.ts";
import { readKernelTable } from "./kernel-table.ts";
import { planService } from "./plan.ts";
import { readyHere } from "./port-targets.ts";
import { type RuleSettings, rulesMark, tableRules } from "./rules.ts";
import { type StaleTarget, staleConnections } from "./stale-connections.ts";
import { TableContents } from "./table-contents.ts";
import { transactions } from "./transactions.ts";

/** Changes that come together are applied together; a single one waits no longer than this. */
const settleMs = 10;
/** After a transaction that nft refused, the table is read and mended. */
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

/** Now and then the kernel's table is read, in case somebody else has changed it. */
const checkMs = 5 * 60_000;

const serviceIndex = "service";

/** How far the kernel's table can be relied upon. */
type Knowledge = "none" | "doubtful" | "exact";

interface TableFound {
  readonly found: TableElements;
  /** Makes the table; absent where the one that is there has the right rules. */
  readonly rebuild: string | undefined;
}

/**
 * Keeps the node's nft table in step with Services and EndpointSlices. A table that is there already (the agent was started
 * anew) is read and brought up to date element by element, so that connections find it whole all the time.
 */
export class ServiceProxy implements AsyncDisposable {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #background: Background;
  readonly #subscriptions: Disposable[] = [];
  readonly #contents = new TableContents();
  /** Services to look at again, as `namespace/name`. */
  readonly #touched = new Set<string>();
  /** Flows to be forgotten once the table has changed. */
  readonly #stale = new Map<string, StaleTarget>();
  readonly #nodes: Informer<Node>;
  readonly #healthChecks: HealthChecks;
  #zone: string | undefined;
  #knowledge: Knowledge = "none";
  #wake = Promise.withResolvers<void>();

  private constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#services = options.informers.for(Services);
    this.#slices = options.informers.for(EndpointSlices);
    this.#slices.addIndex(serviceIndex, ownerOf);
    const fieldSelector = `metadata.name=${options.nodeName}`;
    this.#nodes = options.informers.for(Nodes, { fieldSelector });
    const isHealthy = () => this.#knowledge === "exact";
    this.#healthChecks = new HealthChecks({ logger: options.logger, isHealthy });
    this.#background = new Background({ logger: options.logger });
  }

  /** Brings the table to where it has to be now, then keeps it there. Disposal leaves the table: connections go on. */
  static async start(options: ServiceProxyOptions, signal: AbortSignal): Promise<ServiceProxy> {
    const proxy = new ServiceProxy(options);
    await Promise.all([proxy.#services, proxy.#slices, proxy.#nodes].map((informer) => informer.whenSynced(signal)));
    proxy.#subscriptions.push(
      proxy.#nodes.onChange(({ kind, object }) => kind !== "deleted" && proxy.#see(object)),
      proxy.#services.onChange(({ object }) => proxy.#touch([keyOf(object)])),
      proxy.#slices.onChange((change) => proxy.#touch(ownersIn(change))),
    );
    try {
      await proxy.#sync(signal);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    proxy.#background.run("service proxy", (stop) => proxy.#run(stop));
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
    this.#healthChecks[Symbol.dispose]();
  }

  /** Where the node is decides which endpoints of every Service are near. */
  #see({ metadata }: Node): void {
    const zone = metadata.labels?.["topology.kubernetes.io/zone"];
    if (metadata.name !== this.#options.nodeName || zone === this.#zone) return;
    this.#zone = zone;
    this.#touch(this.#services.list().map(keyOf));
  }

  #touch(owners: readonly string[]): void {
    for (const owner of owners) this.#touched.add(owner);
    this.#wake.resolve();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      using _check = clock.after(checkMs, () => {
        this.#knowledge = "doubtful";
        this.#wake.resolve();
      });
      await abortable(this.#wake.promise, signal);
      await clock.sleep(settleMs, signal);
      this.#wake = Promise.withResolvers();
      try {
        await this.#sync(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        logger.error(`cannot update the Service rules: ${describeError(error)}`);
        await clock.sleep(retryMs, signal);
        this.#wake.resolve();
      }
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { rules, nftables, conntrack } = this.#options;
    const table = this.#knowledge === "exact" ? undefined : await this.#readTable(signal);
    this.#planTouched(table?.found ?? emptyElements());
    if (table !== undefined) this.#takeOver(table);
    const changes = this.#contents.changes();
    const [first, ...rest] = transactions(rules.table, changes);
    const together = [table?.rebuild, first].filter((script) => script !== undefined);
    const scripts = together.length === 0 ? [] : [together.join("\n"), ...rest];
    // Until all of it is applied, nobody knows how much of it was.
    this.#knowledge = "doubtful";
    for (const script of scripts) await nftables.apply(script, signal);
    this.#contents.applied(changes);
    this.#knowledge = "exact";
    const stale = [...this.#stale.values()];
    this.#stale.clear();
    for (const target of stale) await conntrack.forget(target, signal);
  }

  /** `found`: the slots that endpoints had before this proxy planned any. */
  #planTouched(found: TableElements): void {
    for (const owner of this.#touched) {
      const [namespace = "", name = ""] = owner.split("/");
      const service = this.#services.get(name, namespace);
      const before = this.#contents.planOf(owner);
      const slices = this.#slices.byIndex(serviceIndex, owner);
      const place = { nodeName: this.#options.nodeName, zone: this.#zone };
      const plan = service && planService({ service, slices }, place, before ?? found);
      this.#healthChecks.put(owner, service, readyHere(slices, place));
      this.#contents.put(owner, plan);
      // What a proxy before this one had planned is compared by what the kernel's table says.
      if (this.#knowledge === "none") continue;
      this.#noteStale(before ?? emptyElements(), plan ?? emptyElements());
    }
    this.#touched.clear();
  }

  #noteStale(before: TableElements, after: TableElements): void {
    for (const target of staleConnections(before, after)) this.#stale.set(JSON.stringify(target), target);
  }

  async #readTable(signal: AbortSignal): Promise<TableFound> {
    const { rules, nftables } = this.#options;
    const objects = await nftables.listTable("ip", rules.table, signal);
    if (objects === undefined) return { found: emptyElements(), rebuild: tableRules(rules) };
    const { sets, elements: found } = readKernelTable(objects);
    if (sets.has(rulesMark(rules))) return { found, rebuild: undefined };
    return { found, rebuild: `delete table ip ${rules.table}\n${tableRules(rules)}` };
  }

  #takeOver({ found, rebuild }: TableFound): void {
    if (this.#knowledge === "none") this.#noteStale(found, this.#contents.wanted());
    this.#contents.found(rebuild === undefined ? found : emptyElements());
  }
}

const keyOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

/** The Service that a slice belongs to. */
function ownerOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.["kubernetes.io/service-name"];
  return name === undefined ? [] : [`${metadata.namespace}/${name}`];
}

const ownersIn = (change: CacheChange<EndpointSlice>): readonly string[] => [
  ...ownerOf(change.object),
  ...(change.kind === "updated" ? ownerOf(change.old) : []),
];
