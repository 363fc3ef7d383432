import { isNotFound, type Node, Nodes } from "@skiff/api";
import type { NodeUsage } from "@skiff/apiserver";
import type { Clock, Logger } from "@skiff/base";
import type { Client, Informers } from "@skiff/client";
import { PodFeed } from "./pod-feed.ts";
import type { PodScripts } from "./pod-script.ts";
import { SimulatedNode, type SimulatedNodeSpec } from "./simulated-node.ts";
import type { PodLoads } from "./simulated-usage.ts";

export interface SimulatedNodesOptions {
  readonly nodes: readonly SimulatedNodeSpec[];
  readonly scripts: PodScripts;
  readonly loads: PodLoads;
  /** How often each node renews its Lease. */
  readonly heartbeatMs: number;
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** So many nodes are registered side by side. */
const atOnce = 32;

/** All simulated nodes of a cluster, on one cache of pods. */
export class SimulatedNodes implements AsyncDisposable {
  readonly all: readonly SimulatedNode[];
  readonly #byName: ReadonlyMap<string, SimulatedNode>;
  readonly #feed: PodFeed;

  private constructor(feed: PodFeed, all: readonly SimulatedNode[]) {
    this.#feed = feed;
    this.all = all;
    this.#byName = new Map(all.map((node) => [node.name, node]));
  }

  /** The nodes are registered and look after their pods when this resolves. */
  static async start(options: SimulatedNodesOptions, signal: AbortSignal): Promise<SimulatedNodes> {
    const { nodes: specs, ...parts } = options;
    await using stack = new AsyncDisposableStack();
    const feed = new PodFeed(options.informers);
    await options.informers.for(Nodes).whenSynced(signal);
    const nodes = stack.use(
      new SimulatedNodes(
        feed,
        specs.map((spec) => new SimulatedNode({ ...parts, spec, feed })),
      ),
    );
    const waiting = nodes.all.values();
    const register = async () => {
      for (const node of waiting) await node.start(signal);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, specs.length) }, register));
    stack.move();
    return nodes;
  }

  /** What a node and its pods have used; `undefined` for a node that is none of these. Throws while the node is silent. */
  usage(name: string): NodeUsage | undefined {
    return this.#byName.get(name)?.usage();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed[Symbol.dispose]();
    await Promise.all(this.all.map((node) => node[Symbol.asyncDispose]()));
  }
}

/** Takes away the nodes for which `isSurplus` holds. */
export async function removeNodes(
  { client, informers }: { readonly client: Client; readonly informers: Informers },
  isSurplus: (node: Node) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const nodes = informers.for(Nodes);
  await nodes.whenSynced(signal);
  for (const { metadata } of nodes.list().filter(isSurplus)) {
    await client.delete(Nodes, metadata, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
