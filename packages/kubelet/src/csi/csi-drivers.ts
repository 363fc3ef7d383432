import type { Clock, Logger } from "@skiff/base";
import type { Client, Informers } from "@skiff/client";
import { CsiClient, identityService, nodeService } from "@skiff/csi";
import type { PluginCandidate, PluginHandler } from "../plugins/plugin-registry.ts";
import { AllocatableUpdates } from "./allocatable-updates.ts";
import { announceDriver, withdrawDriver } from "./csi-node.ts";

/** A storage driver that has made itself known to this node. */
export interface NodeDriver {
  readonly name: string;
  readonly client: CsiClient;
  /** Numbers of what its node service can do (`nodeFeature`). */
  readonly features: ReadonlySet<number>;
}

export interface CsiDriversOptions {
  readonly nodeName: string;
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly logger: Logger;
}

const version = /^v?1\./;

/**
 * The storage drivers of this node: asked who they are, and told to the cluster by the node's CSINode.
 * https://kubernetes-csi.github.io/docs/node-driver-registrar.html
 */
export class CsiDrivers implements PluginHandler, AsyncDisposable {
  readonly type = "CSIPlugin";
  readonly #options: CsiDriversOptions;
  /** By their sockets. */
  readonly #known = new Map<string, NodeDriver>();
  readonly #limits: AllocatableUpdates;

  constructor(options: CsiDriversOptions) {
    this.#options = options;
    const refresh = (name: string, signal: AbortSignal) => this.refresh(name, signal);
    this.#limits = new AllocatableUpdates({ ...options, refresh });
  }

  get(name: string): NodeDriver | undefined {
    return [...this.#known.values()].find((driver) => driver.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#limits[Symbol.asyncDispose]();
    for (const { client } of this.#known.values()) client[Symbol.dispose]();
  }

  refusal({ supportedVersions }: PluginCandidate): string | undefined {
    if (supportedVersions.some((one) => version.test(one))) return undefined;
    return `failed to get required CSI version: ${supportedVersions.join(", ")}`;
  }

  async register({ name, endpoint }: PluginCandidate, signal: AbortSignal): Promise<void> {
    const client = new CsiClient(endpoint, this.#options.clock);
    try {
      await client.call(identityService.probe, {}, signal);
      const { capabilities } = await client.call(nodeService.nodeGetCapabilities, {}, signal);
      const about = await client.call(nodeService.nodeGetInfo, {}, signal);
      await announceDriver({ name, about }, this.#options, signal);
      const features = new Set(capabilities.map(({ rpc }) => rpc?.type ?? 0));
      this.#known.get(endpoint)?.client[Symbol.dispose]();
      this.#known.set(endpoint, { name, client, features });
      this.#limits.set([...this.#known.values()]);
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  async forget({ endpoint }: PluginCandidate, signal: AbortSignal): Promise<void> {
    const driver = this.#known.get(endpoint);
    if (driver === undefined) return;
    await withdrawDriver(driver.name, this.#options, signal);
    driver.client[Symbol.dispose]();
    this.#known.delete(endpoint);
    this.#limits.set([...this.#known.values()]);
  }

  /** Asks a driver anew what it says of the node, and tells the cluster. */
  async refresh(name: string, signal: AbortSignal): Promise<void> {
    const about = await this.get(name)?.client.call(nodeService.nodeGetInfo, {}, signal);
    if (about !== undefined) await announceDriver({ name, about }, this.#options, signal);
  }
}
