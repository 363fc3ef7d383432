import type { Clock } from "@skiff/base";
import { PluginClient } from "../plugins/plugin-client.ts";
import { type KnownDevice, knownDevice } from "./device-table.ts";
import { type ContainerAllocateResponse, type DevicePluginOptions, devicePlugin } from "./messages.ts";

/** So long a plugin may take to get devices ready for a container. */
const preStartMs = 30_000;
const connectMs = 10_000;

/** One plugin, which offers one resource. */
export class DevicePlugin implements Disposable {
  readonly #client: PluginClient;
  readonly #options: DevicePluginOptions;
  readonly #resource: string;
  readonly #stop = new AbortController();

  private constructor(client: PluginClient, resource: string, options: DevicePluginOptions) {
    this.#client = client;
    this.#resource = resource;
    this.#options = options;
  }

  /** Options are asked for where the plugin did not tell them. */
  static async connect(
    {
      resource,
      socket,
      clock,
      options,
    }: {
      readonly resource: string;
      readonly socket: string;
      readonly clock: Clock;
      readonly options?: DevicePluginOptions;
    },
    signal: AbortSignal,
  ): Promise<DevicePlugin> {
    const client = new PluginClient(socket, clock);
    const none = { preStartRequired: false, getPreferredAllocationAvailable: false };
    try {
      const known = options ?? (await client.call(devicePlugin.getOptions, {}, { signal, deadlineMs: connectMs }));
      return new DevicePlugin(client, resource, { ...none, ...known });
    } catch (error) {
      client[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#client[Symbol.dispose]();
  }

  /** All its devices, each time that they change. Ends when the plugin does. */
  async *watch(signal: AbortSignal): AsyncGenerator<readonly KnownDevice[]> {
    const interest = AbortSignal.any([signal, this.#stop.signal]);
    for await (const { devices } of this.#client.stream(devicePlugin.listAndWatch, {}, interest))
      yield devices.map(knownDevice);
  }

  /** Which devices to take where there is a choice: those that the plugin prefers, else the first. */
  async pick(
    choice: { readonly chosen: readonly string[]; readonly from: readonly string[]; readonly count: number },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { chosen, from, count } = choice;
    const left = count - chosen.length;
    const first = [...chosen, ...from.slice(0, left)];
    if (left === 0 || !this.#options.getPreferredAllocationAvailable) return first;
    const request = { available: [...chosen, ...from], mustInclude: chosen, size: count };
    const { containerResponses } = await this.#client.call(
      devicePlugin.getPreferredAllocation,
      { containerRequests: [request] },
      { signal },
    );
    // It is a preference: what cannot be had is left out, what is missing is filled up.
    const preferred = (containerResponses[0]?.ids ?? []).filter((id) => from.includes(id));
    return [...new Set([...chosen, ...preferred, ...from])].slice(0, count);
  }

  async allocate(ids: readonly string[], signal: AbortSignal): Promise<ContainerAllocateResponse> {
    const { containerResponses } = await this.#client.call(
      devicePlugin.allocate,
      { containerRequests: [{ ids }] },
      { signal },
    );
    const [response] = containerResponses;
    if (response === undefined) throw new Error(`no containers return in allocation response for ${this.#resource}`);
    return response;
  }

  async preStart(ids: readonly string[], signal: AbortSignal): Promise<void> {
    if (!this.#options.preStartRequired) return;
    await this.#client.call(devicePlugin.preStartContainer, { ids }, { signal, deadlineMs: preStartMs });
  }
}
