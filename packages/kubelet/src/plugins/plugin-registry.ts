import { mkdirSync, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Background, backoffDelayMs, type Clock, describeError, type Logger } from "@skiff/base";
import { CsiClient, type RegisteredPlugin, registrationService } from "@skiff/csi";

/** A plugin that asks to be taken in. */
export interface PluginCandidate {
  readonly name: string;
  /** Path of the socket that it serves on. */
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}

/** Who takes in the plugins of one type. */
export interface PluginHandler {
  /** As plugins tell it: `CSIPlugin`, `DRAPlugin`, `DevicePlugin`. */
  readonly type: string;
  /** Why the plugin is not taken at all, which it is told; `undefined`: it may be. */
  refusal(plugin: PluginCandidate): string | undefined;
  /** Takes it in. What this throws the plugin is told, and it is tried again. */
  register(plugin: PluginCandidate, signal: AbortSignal): Promise<void>;
  /** Its registration socket is gone. Where this throws it is called again. */
  forget(plugin: PluginCandidate, signal: AbortSignal): Promise<void>;
}

export interface PluginRegistryOptions {
  /** Plugins lay the sockets here by which they make themselves known: `plugins_registry` of the kubelet's folder. */
  readonly folder: string;
  readonly handlers: readonly PluginHandler[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Known {
  readonly handler: PluginHandler;
  readonly plugin: PluginCandidate;
}

const settleMs = 100;
/** A socket that its plugin left behind may lie there for long. */
const retries = { initialMs: 500, maxMs: 120_000 };

/**
 * The plugins of this node: found by their registration sockets, asked who they are, and handed to whoever deals with their
 * type. A plugin goes when its socket does.
 */
export class PluginRegistry implements AsyncDisposable {
  readonly #options: PluginRegistryOptions;
  readonly #background: Background;
  /** By the name of their registration socket. */
  readonly #known = new Map<string, Known>();
  /** Why those that could not be taken in were not, as it was told last. */
  readonly #failures = new Map<string, string>();
  #changed = Promise.withResolvers<void>();

  constructor(options: PluginRegistryOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
    mkdirSync(options.folder, { recursive: true, mode: 0o750 });
    // It is the node that keeps the process, not a folder that may change.
    const watcher = watch(options.folder, { persistent: false }, () => this.#changed.resolve());
    watcher.on("error", () => this.#changed.resolve());
    this.#background.run("plugins", async (signal) => {
      signal.addEventListener("abort", () => watcher.close());
      await this.#follow(signal);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background[Symbol.asyncDispose]();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (let failures = 0; ; ) {
      this.#changed = Promise.withResolvers();
      failures = (await this.#look(signal)) ? 0 : failures + 1;
      const again = failures === 0 ? [] : [clock.sleep(backoffDelayMs(retries, failures), signal)];
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      const change = this.#changed.promise.then(() => {
        failures = 0;
      });
      await Promise.race([change, ended, ...again]);
      signal.throwIfAborted();
      // A socket is there a moment before somebody listens on it.
      await clock.sleep(settleMs, signal);
    }
  }

  /** False while a plugin that is there could not be taken in. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { folder, logger } = this.#options;
    const names = (await readdir(folder, { withFileTypes: true }))
      .filter((one) => one.isSocket())
      .map(({ name }) => name);
    let complete = true;
    for (const name of this.#failures.keys()) if (!names.includes(name)) this.#failures.delete(name);
    for (const name of this.#known.keys())
      if (!names.includes(name)) complete = (await this.#forget(name, signal)) && complete;
    for (const name of names) {
      if (this.#known.has(name)) continue;
      try {
        await this.#register(name, signal);
        this.#failures.delete(name);
      } catch (error) {
        signal.throwIfAborted();
        complete = false;
        const why = describeError(error);
        if (this.#failures.get(name) !== why) logger.warn(`the plugin at ${name} cannot be registered: ${why}`);
        this.#failures.set(name, why);
      }
    }
    return complete;
  }

  async #forget(socket: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#known.get(socket);
    if (known === undefined) return true;
    const { plugin, handler } = known;
    try {
      await handler.forget(plugin, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn(`the plugin ${plugin.name} cannot be withdrawn: ${describeError(error)}`);
      return false;
    }
    this.#known.delete(socket);
    this.#options.logger.info(`${handler.type} ${plugin.name} is gone`);
    return true;
  }

  async #register(socket: string, signal: AbortSignal): Promise<void> {
    const { clock, logger, folder, handlers } = this.#options;
    const path = join(folder, socket);
    using registration = new CsiClient(path, clock);
    const info = await registration.call(registrationService.getInfo, {}, signal);
    const handler = handlers.find(({ type }) => type === info.type);
    if (handler === undefined) return;
    const plugin = candidateOf(info, path);
    const notify = (error: string) =>
      registration.call(
        registrationService.notifyRegistrationStatus,
        { pluginRegistered: error === "", error },
        signal,
      );
    const refusal = handler.refusal(plugin);
    if (refusal !== undefined) {
      await notify(refusal);
      return;
    }
    try {
      await handler.register(plugin, signal);
    } catch (error) {
      await notify(describeError(error)).catch(() => {});
      throw error;
    }
    this.#known.set(socket, { handler, plugin });
    await notify("");
    logger.info(`${handler.type} ${plugin.name} is registered`);
  }
}

const candidateOf = ({ name, endpoint, supportedVersions }: RegisteredPlugin, path: string): PluginCandidate => ({
  name,
  endpoint: endpoint === "" ? path : endpoint,
  supportedVersions,
});
