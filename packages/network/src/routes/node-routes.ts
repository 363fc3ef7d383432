import { type Node, Nodes } from "@skiff/api";
import {
  abortable,
  Background,
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  describeError,
  isAbort,
  type Logger,
  parseRange,
} from "@skiff/base";
import type { CacheChange, Informer, Informers } from "@skiff/client";
import {
  type Addresses,
  type Links,
  localnetOf,
  type Route,
  type RouteChange,
  type Routes,
  type Sysctls,
  type TunnelPeer,
  type Tunnels,
} from "@skiff/host";
import { isIPv4 } from "../proxy/port-targets.ts";
import { type OtherNode, planPeers, planRoutes, tunnelEnd } from "./plan.ts";

/** Nodes that come together are looked at together. */
const settleMs = 50;
/** After a failure, or where a node cannot be reached: its link may come. */
const retryPolicy: BackoffPolicy = { initialMs: 500, maxMs: 60_000 };
/** A link that went down took its routes with it; nobody tells. */
const checkMs = 60_000;

/** Nodes that only exist in memory have no machine to send packets to. */
const realNodes = { labelSelector: "type!=kwok" };

export interface NodeRoutesOptions {
  readonly nodeName: string;
  /** This node's pods. */
  readonly podCidr: string;
  /** All pods of the cluster. */
  readonly clusterCidr: string;
  /** Marks this cluster's routes among those of the machine. */
  readonly protocol: string;
  readonly informers: Informers;
  readonly sysctls: Sysctls;
  readonly network: {
    readonly routes: Routes;
    readonly addresses: Pick<Addresses, "own" | "list">;
    readonly links: Pick<Links, "remove">;
  };
  readonly tunnels: Tunnels;
  /** The device for nodes behind routers, and the number of the network in it, which is the same on all nodes. */
  readonly tunnel: { readonly name: string; readonly id: number };
  /** By which other nodes reach this one. */
  readonly nodeIp: string;
  /** Hears of nodes whose pods cannot be reached from here, once each; with this node's own object, once there is one. */
  readonly onProblem: (message: string, own: Node | undefined) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps one route for the pods of each other node, as level as the proxy keeps its table: the machine's routes are read,
 * and mended where they differ. Disposal leaves them: pods go on talking.
 */
export class NodeRoutes implements AsyncDisposable {
  readonly #options: NodeRoutesOptions;
  readonly #nodes: Informer<Node>;
  readonly #background: Background;
  readonly #subscription: Disposable;
  /** Problems that were told and are still there. */
  #told = new Set<string>();
  #wake = Promise.withResolvers<void>();

  constructor(options: NodeRoutesOptions) {
    this.#options = options;
    this.#nodes = options.informers.for(Nodes, realNodes);
    this.#background = new Background({ logger: options.logger });
    this.#subscription = this.#nodes.onChange((change) => {
      if (this.#matters(change)) this.#wake.resolve();
    });
    this.#background.run("node routes", (signal) => this.#run(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
  }

  /** Kubelets write about their nodes all the time. */
  #matters(change: CacheChange<Node>): boolean {
    if (change.object.metadata.name === this.#options.nodeName) return false;
    if (change.kind !== "updated") return true;
    const [before, after] = [otherNode(change.old), otherNode(change.object)];
    return before?.address !== after?.address || before?.podCidr !== after?.podCidr;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    // A list that is not complete would have routes removed that are needed.
    await this.#nodes.whenSynced(signal);
    for (let failures = 0; ; ) {
      this.#wake = Promise.withResolvers();
      let state: "alone" | "whole" | "lacking" = "lacking";
      try {
        state = await this.#sync(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        logger.error(`cannot keep the routes to other nodes: ${describeError(error)}`);
      }
      failures = state === "lacking" ? failures + 1 : 0;
      const againMs =
        state === "alone" ? undefined : state === "whole" ? checkMs : backoffDelayMs(retryPolicy, failures);
      using _again = againMs === undefined ? undefined : clock.after(againMs, () => this.#wake.resolve());
      await abortable(this.#wake.promise, signal);
      await clock.sleep(settleMs, signal);
    }
  }

  async #sync(signal: AbortSignal): Promise<"alone" | "whole" | "lacking"> {
    const { nodeName, podCidr, clusterCidr, protocol, network, sysctls, tunnel, logger } = this.#options;
    const nodes = this.#nodes
      .list()
      .filter(({ metadata }) => metadata.name !== nodeName)
      .map(otherNode)
      .filter((node) => node !== undefined);
    const routes = await network.routes.list(signal);
    const ownAddresses = network.addresses.own();
    const plan = planRoutes({ nodes, podCidr, clusterCidr, ownAddresses, routes, protocol, tunnel: tunnel.name });
    const closed = plan.peers.length > 0 ? await this.#openTunnel(plan.peers, signal) : undefined;
    const isPossible = ({ kind, route }: RouteChange) =>
      closed === undefined || kind === "remove" || route.link !== tunnel.name;
    const changes = plan.changes.filter(isPossible);
    const refused = await network.routes.change(changes, signal);
    // With the last node behind a router goes the device; routes tell of one that was there before this process.
    const isTunnel = ({ link }: Route) => link === tunnel.name;
    if (plan.peers.length === 0 && routes.some(isTunnel)) await network.links.remove(tunnel.name, signal);
    if (changes.length > 0) logger.info(`${changes.length - refused.length} routes to other nodes changed`);
    // What comes to a node port of 127.0.0.1 may go on to another node; the proxy's rules keep others from coming that way.
    for (const link of plan.links) await sysctls.write(localnetOf(link), "1");
    const problems = [
      ...(closed === undefined ? [] : [`pods of nodes behind routers cannot be reached from here: ${closed}`]),
      ...plan.unreachable.map(
        ({ name, address, podCidr: pods }) =>
          `pods of node ${name} (${pods}) cannot be reached from here: no route leads to its address ${address}`,
      ),
      ...plan.taken.map(({ name, podCidr: pods }) => `pods of node ${name}: this machine has another route to ${pods}`),
      ...refused.map(({ change, words }) => `no route to ${change.route.destination}: ${words}`),
    ];
    this.#tell(problems);
    if (nodes.length === 0) return "alone";
    return problems.length === 0 ? "whole" : "lacking";
  }

  /** What keeps it from being open, if anything; nodes nearby are reached without it. */
  async #openTunnel(wanted: readonly TunnelPeer[], signal: AbortSignal): Promise<string | undefined> {
    const { tunnel, tunnels, podCidr, nodeIp, network } = this.#options;
    const { name, id } = tunnel;
    const range = parseRange(podCidr);
    const link = (await network.addresses.list(signal)).find(({ address }) => address === nodeIp)?.link;
    if (range === undefined || link === undefined) return `no link has this node's address ${nodeIp}`;
    try {
      await tunnels.ensure({ name, id, local: nodeIp, link, ...tunnelEnd(range) }, signal);
      await tunnels.change(name, planPeers(wanted, await tunnels.peers(name, signal)), signal);
      return undefined;
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return describeError(error);
    }
  }

  #tell(problems: readonly string[]): void {
    const { nodeName, onProblem } = this.#options;
    for (const problem of problems) if (!this.#told.has(problem)) onProblem(problem, this.#nodes.get(nodeName));
    this.#told = new Set(problems);
  }
}

/** `undefined` while the node has no address or no range for its pods. */
function otherNode({ metadata, spec, status }: Node): OtherNode | undefined {
  const found = status?.addresses?.find(({ type, address }) => type === "InternalIP" && isIPv4(address));
  const podCidr = (spec?.podCIDRs ?? []).find((range) => !range.includes(":"));
  if (found === undefined || podCidr === undefined) return undefined;
  return { name: metadata.name, address: found.address, podCidr };
}
