import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { asUnits, type Container, isExtendedResource, type Pod, podLimits, type ResourceStatus } from "@skiff/api";
import { aborted, Background, type Clock, describeError, type Logger } from "@skiff/base";
import { GrpcServer, GrpcStatus, serve } from "@skiff/grpc";
import { isByClaim } from "../claims/claims-of-pod.ts";
import { type ContainerGrant, mergeGrants } from "../grants/container-grant.ts";
import type { HintProvider } from "../grants/hint-provider.ts";
import type { PluginCandidate, PluginHandler } from "../plugins/plugin-registry.ts";
import type { NumaHint, NumaSet } from "../topology/numa.ts";
import { chooseDevices } from "./choose-devices.ts";
import { readDeviceCheckpoint, writeDeviceCheckpoint } from "./device-checkpoint.ts";
import { DeviceHoldings } from "./device-holdings.ts";
import { DevicePlugin } from "./device-plugin.ts";
import { type DeviceCount, DeviceTable, type KnownDevice } from "./device-table.ts";
import { type DevicePluginOptions, deviceRegistration } from "./messages.ts";

export interface NodeDevicesOptions {
  /** Holds the kubelet's socket, those of plugins, and the checkpoint: `device-plugins`. */
  readonly folder: string;
  /** Numbers of the machine's NUMA nodes. */
  readonly numaNodes: readonly number[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The node has more or fewer devices now. */
  readonly onChange: () => void;
  /** Devices of these pods are not as they were. */
  readonly onHealth: (podUids: ReadonlySet<string>) => void;
}

const version = "v1beta1";
const checkpointFile = "kubelet_internal_checkpoint";
const socketName = "kubelet.sock";

/**
 * The devices of the node that plugins offer: counted in the node's status, given to containers one by one.
 * https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
 */
export class NodeDevices implements HintProvider, PluginHandler, AsyncDisposable {
  readonly type = "DevicePlugin";
  readonly #options: NodeDevicesOptions;
  readonly #background: Background;
  readonly #plugins = new Map<string, DevicePlugin>();
  readonly table = new DeviceTable();
  readonly holdings = new DeviceHoldings();
  #server: GrpcServer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopped = Promise.withResolvers<void>();

  private constructor(options: NodeDevicesOptions) {
    this.#options = options;
    this.#background = new Background({ logger: options.logger });
  }

  /** Takes up what was given out before the kubelet was restarted, and listens for plugins. */
  static async start(options: NodeDevicesOptions): Promise<NodeDevices> {
    const devices = new NodeDevices(options);
    await devices.#start();
    return devices;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    for (const plugin of this.#plugins.values()) plugin[Symbol.dispose]();
    await this.#background[Symbol.asyncDispose]();
    await this.#writing;
  }

  async #start(): Promise<void> {
    const { folder, clock, logger } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o750 });
    // Plugins notice by this that the kubelet is another one, and make themselves known again.
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (!entry.isDirectory() && entry.name !== checkpointFile) await rm(join(folder, entry.name), { force: true });
    try {
      const { holdings, resources } = await readDeviceCheckpoint(join(folder, checkpointFile));
      this.holdings.replaceAll(holdings);
      for (const resource of resources) this.table.stop(resource, clock.now());
    } catch (error) {
      logger.error(`devices that containers had are not known any more: ${describeError(error)}`);
    }
    this.#background.run("devices without plugin", (signal) => this.#expire(signal));
    try {
      this.#server = await GrpcServer.listen(join(folder, socketName), [
        serve(deviceRegistration.register, async (request) => {
          const { resourceName, endpoint, options } = request;
          const problem = this.#problem(resourceName, request.version);
          if (problem !== undefined) throw new GrpcStatus("UNKNOWN", problem);
          await this.#connect(resourceName, join(folder, endpoint), options);
          return {};
        }),
      ]);
    } catch (error) {
      logger.error(`device plugins cannot make themselves known: ${describeError(error)}`);
    }
  }

  #problem(resourceName: string, ...versions: readonly string[]): string | undefined {
    if (!versions.includes(version)) {
      const said = versions.map((one) => JSON.stringify(one)).join(" ");
      return `requested API version ${said} is not supported by kubelet. Supported version is ${JSON.stringify(version)}`;
    }
    return isExtendedResource(resourceName) ? undefined : `the ResourceName ${JSON.stringify(resourceName)} is invalid`;
  }

  refusal({ name, supportedVersions }: PluginCandidate): string | undefined {
    return this.#problem(name, ...supportedVersions);
  }

  async register({ name, endpoint }: PluginCandidate): Promise<void> {
    await this.#connect(name, endpoint, undefined);
  }

  async forget({ name }: PluginCandidate): Promise<void> {
    this.#plugins.get(name)?.[Symbol.dispose]();
  }

  async #connect(resource: string, socket: string, options: DevicePluginOptions | undefined): Promise<void> {
    const { clock, logger } = this.#options;
    this.#plugins.get(resource)?.[Symbol.dispose]();
    const plugin = await DevicePlugin.connect(
      { resource, socket, clock, ...(options && { options }) },
      this.#background.signal,
    );
    this.#plugins.set(resource, plugin);
    logger.info(`device plugin for ${resource} is registered`);
    this.#background.run(`devices ${resource}`, async (signal) => {
      try {
        for await (const devices of plugin.watch(signal)) {
          if (this.#plugins.get(resource) !== plugin) return;
          const before = this.table.devices(resource);
          this.table.update(resource, devices);
          this.#tellOfHealth(resource, before);
          this.#changed();
        }
      } catch (error) {
        if (!signal.aborted) logger.warn(`device plugin for ${resource}: ${describeError(error)}`);
      } finally {
        plugin[Symbol.dispose]();
      }
      if (signal.aborted || this.#plugins.get(resource) !== plugin) return;
      this.#plugins.delete(resource);
      const before = this.table.devices(resource);
      this.table.stop(resource, clock.now());
      this.#tellOfHealth(resource, before);
      logger.warn(`device plugin for ${resource} is gone`);
      this.#stopped.resolve();
      this.#changed();
    });
  }

  #tellOfHealth(resource: string, before: ReadonlyMap<string, KnownDevice>): void {
    const after = this.table.devices(resource);
    const isOther = (id: string) => before.get(id)?.healthy !== after.get(id)?.healthy;
    const concerned = this.holdings.all.filter((one) => one.resource === resource && one.ids.some(isOther));
    if (concerned.length > 0) this.#options.onHealth(new Set(concerned.map(({ podUid }) => podUid)));
  }

  /** How the container's devices are, for its status. One that its plugin no longer names is taken to be well. */
  health(podUid: string, container: string): readonly ResourceStatus[] {
    return this.holdings.of(podUid, container).map(({ resource, ids }) => ({
      name: resource,
      resources: ids.toSorted().map((resourceID) => {
        const healthy = this.table.devices(resource).get(resourceID)?.healthy ?? true;
        return { resourceID, health: healthy ? "Healthy" : "Unhealthy" };
      }),
    }));
  }

  #changed(): void {
    this.#save();
    this.#options.onChange();
  }

  async #expire(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const dueMs = this.table.nextExpiryMs();
      if (dueMs === undefined) {
        this.#stopped = Promise.withResolvers();
        await Promise.race([this.#stopped.promise, aborted(signal)]);
      } else await clock.sleep(Math.max(0, dueMs - clock.now()), signal);
      signal.throwIfAborted();
      this.table.expire(clock.now());
      if (dueMs !== undefined) this.#changed();
    }
  }

  counts(): ReadonlyMap<string, DeviceCount> {
    return this.table.counts();
  }

  /** What a container asks for of the resources that plugins offer. */
  #wishes(
    pod: Pod,
    { name: container, resources }: Container,
  ): readonly (readonly [resource: string, count: number])[] {
    return Object.entries(resources?.limits ?? {}).flatMap(([name, amount]) =>
      this.table.has(name) && !isByClaim(pod, container, name) ? [[name, asUnits(amount)] as const] : [],
    );
  }

  concerns(pod: Pod): boolean {
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    return all.some((container) => this.#wishes(pod, container).some(([, count]) => count > 0));
  }

  hints(pod: Pod, container: Container): ReadonlyMap<string, readonly NumaHint[] | undefined> {
    const { numaNodes } = this.#options;
    return new Map(
      this.#wishes(pod, container).map(([resource, count]) => {
        const held = this.holdings.ids(pod.metadata.uid, container.name, resource);
        const reusable = held.length > 0 ? [] : this.holdings.reusable(pod, container, resource);
        const taken = this.holdings.taken(resource);
        const free = this.table.healthy(resource).filter((id) => !taken.has(id));
        return [
          resource,
          this.table.hints(resource, { count, available: held.length > 0 ? held : free, reusable }, numaNodes),
        ];
      }),
    );
  }

  podHints(pod: Pod): ReadonlyMap<string, readonly NumaHint[] | undefined> {
    const { numaNodes } = this.#options;
    const uid = pod.metadata.uid;
    return new Map(
      Object.entries(podLimits(pod)).flatMap(([resource, amount]) => {
        const byClaim = pod.spec.containers.some(({ name }) => isByClaim(pod, name, resource));
        if (!this.table.has(resource) || byClaim) return [];
        const held = this.holdings.all.filter((one) => one.podUid === uid && one.resource === resource);
        const taken = this.holdings.taken(resource);
        const free = this.table.healthy(resource).filter((id) => !taken.has(id));
        const available = held.length > 0 ? [...new Set(held.flatMap(({ ids }) => ids))] : free;
        const wanted = { count: asUnits(amount), available, reusable: [] };
        return [[resource, this.table.hints(resource, wanted, numaNodes)] as const];
      }),
    );
  }

  async allocate(pod: Pod, container: Container, affinity: NumaSet | undefined, signal: AbortSignal): Promise<void> {
    const podUid = pod.metadata.uid;
    for (const [resource, count] of this.#wishes(pod, container)) {
      if (count === 0) continue;
      const choice = chooseDevices(this.table, {
        resource,
        count,
        held: this.holdings.ids(podUid, container.name, resource),
        reusable: this.holdings.reusable(pod, container, resource),
        taken: this.holdings.taken(resource),
        ...(affinity === undefined ? {} : { affinity }),
      });
      if (choice.kind === "impossible") throw new Error(choice.message);
      if (choice.kind === "held") continue;
      const plugin = this.#plugins.get(resource);
      if (plugin === undefined) throw new Error(`unknown Device Plugin ${resource}`);
      const ids = await plugin.pick(choice, signal);
      const response = await plugin.allocate(ids, signal);
      this.holdings.add({ podUid, container: container.name, resource, ids, response });
      this.#save();
    }
    await this.#writing;
  }

  release(podUid: string): void {
    if (this.holdings.release(podUid)) this.#save();
  }

  /** Pods that have devices. */
  holders(): ReadonlySet<string> {
    return new Set(this.holdings.all.map(({ podUid }) => podUid));
  }

  /** What the container is to get with its devices. Their plugins are told that it is about to start, where they want to know. */
  async grant(pod: Pod, container: Container, signal: AbortSignal): Promise<ContainerGrant> {
    const held = this.holdings.of(pod.metadata.uid, container.name);
    for (const { resource, ids } of held) {
      const plugin = this.#plugins.get(resource);
      // Without its plugin a device is as it was left; it may well do.
      await plugin?.preStart(ids, signal);
    }
    return mergeGrants(
      held.map(({ response }) => ({
        env: new Map(Object.entries(response.envs)),
        mounts: response.mounts.map(({ containerPath, hostPath, readOnly }) => ({
          containerPath,
          hostPath,
          readonly: readOnly,
          propagation: "private",
        })),
        devices: response.devices,
        annotations: response.annotations,
        cdiDevices: response.cdiDevices.map(({ name }) => name),
      })),
    );
  }

  /** Writes the checkpoint, one after the other; the last one has the newest state. */
  #save(): void {
    const path = join(this.#options.folder, checkpointFile);
    this.#writing = this.#writing
      .then(() => writeDeviceCheckpoint(path, this.holdings.all, this.table))
      .catch((error: unknown) => this.#options.logger.warn(`checkpoint of devices: ${describeError(error)}`));
  }
}
