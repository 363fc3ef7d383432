import { mkdirSync, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { Background, type Clock, describeError, type Logger } from "@skiff/base";
import type { Client } from "@skiff/client";
import { CsiClient, identityService, nodeService, registrationService } from "@skiff/csi";
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
  /** Drivers lay the sockets here by which they make themselves known: `plugins_registry` of the kubelet's folder. */
  readonly folder: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

const settleMs = 100;
const retryMs = 1_000;
const version = /^v?1\./;

/**
 * The storage drivers of this node: found by their registration sockets, asked who they are, and told to the cluster by the
 * node's CSINode. A driver goes when its socket does.
 * https://kubernetes-csi.github.io/docs/node-driver-registrar.html
 */
export class CsiDrivers implements AsyncDisposable {
  readonly #options: CsiDriversOptions;
  readonly #background: Background;
  /** By the name of their registration socket. */
  readonly #known = new Map<string, NodeDriver>();
  #changed = Promise.withResolvers<void>();

  constructor(options: CsiDriversOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
    mkdirSync(options.folder, { recursive: true, mode: 0o750 });
    // It is the node that keeps the process, not a folder that may change.
    const watcher = watch(options.folder, { persistent: false }, () => this.#changed.resolve());
    watcher.on("error", () => this.#changed.resolve());
    this.#background.run("storage drivers", async (signal) => {
      signal.addEventListener("abort", () => watcher.close());
      await this.#follow(signal);
    });
  }

  get(name: string): NodeDriver | undefined {
    return [...this.#known.values()].find((driver) => driver.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
    for (const { client } of this.#known.values()) client[Symbol.dispose]();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      this.#changed = Promise.withResolvers();
      const complete = await this.#look(signal);
      const again = complete ? [] : [clock.sleep(retryMs, signal)];
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      await Promise.race([this.#changed.promise, ended, ...again]);
      signal.throwIfAborted();
      // A socket is there a moment before somebody listens on it.
      await clock.sleep(settleMs, signal);
    }
  }

  /** False while a driver that is there could not be taken in. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { folder, logger } = this.#options;
    const names = (await readdir(folder, { withFileTypes: true }))
      .filter((one) => one.isSocket())
      .map(({ name }) => name);
    let complete = true;
    for (const name of this.#known.keys())
      if (!names.includes(name)) complete = (await this.#forget(name, signal)) && complete;
    for (const name of names) {
      if (this.#known.has(name)) continue;
      try {
        await this.#register(join(folder, name), signal);
      } catch (error) {
        signal.throwIfAborted();
        complete = false;
        logger.warn(`the storage driver at ${name} cannot be registered: ${describeError(error)}`);
      }
    }
    return complete;
  }

  async #forget(socket: string, signal: AbortSignal): Promise<boolean> {
    const driver = this.#known.get(socket);
    if (driver === undefined) return true;
    try {
      await withdrawDriver(driver.name, this.#options, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn(`the storage driver ${driver.name} cannot be withdrawn: ${describeError(error)}`);
      return false;
    }
    driver.client[Symbol.dispose]();
    this.#known.delete(socket);
    this.#options.logger.info(`storage driver ${driver.name} is gone`);
    return true;
  }

  async #register(path: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    using registration = new CsiClient(path, clock);
    const info = await registration.call(registrationService.getInfo, {}, signal);
    if (info.type !== "CSIPlugin") return;
    const notify = (error: string) =>
      registration.call(
        registrationService.notifyRegistrationStatus,
        { pluginRegistered: error === "", error },
        signal,
      );
    if (!info.supportedVersions.some((one) => version.test(one))) {
      await notify(`failed to get required CSI version: ${info.supportedVersions.join(", ")}`);
      return;
    }
    const client = new CsiClient(info.endpoint === "" ? path : info.endpoint, clock);
    try {
      await client.call(identityService.probe, {}, signal);
      const { capabilities } = await client.call(nodeService.nodeGetCapabilities, {}, signal);
      const about = await client.call(nodeService.nodeGetInfo, {}, signal);
      await announceDriver({ name: info.name, about }, this.#options, signal);
      const features = new Set(capabilities.map(({ rpc }) => rpc?.type ?? 0));
      this.#known.set(basename(path), { name: info.name, client, features });
    } catch (error) {
      client[Symbol.dispose]();
      await notify(describeError(error)).catch(() => {});
      throw error;
    }
    await notify("");
    logger.info(`storage driver ${info.name} is registered`);
  }
}
