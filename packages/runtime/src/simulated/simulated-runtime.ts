import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { type Clock, type Random, uuid } from "@skiff/base";
import { normalizeImageName } from "../image-name.ts";
import {
  type ContainerConfig,
  type ContainerStats,
  type ContainerStatus,
  type ContainerSummary,
  type ExecSyncResult,
  type ImageSummary,
  type LinuxResources,
  type ProcessStreams,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxState,
  type SandboxStatus,
  type SandboxSummary,
  type StreamOptions,
} from "../runtime.ts";
import { AddressPool } from "./address-pool.ts";
import { behaviourOf, type ProbeKind } from "./behaviour.ts";
import { type ContainerLogs, logLines } from "./container-logs.ts";
import { EventFeed } from "./event-feed.ts";
import { pretend, pretendExec, type Surroundings } from "./pretend-command.ts";
import { SimulatedContainer, type SimulatedExit } from "./simulated-container.ts";
import { SimulatedImages } from "./simulated-images.ts";
import { attachedStreams, execStreams, simulatedPort } from "./simulated-streams.ts";

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where pods' addresses come from, as in `10.42.0.0/24`. */
  readonly podCidr: string;
  readonly logs: ContainerLogs;
  /** Images that are there from the beginning; others must be pulled (which always works, unless their name says otherwise). */
  readonly images?: readonly string[];
  /** How long a pull takes; 0 where not given. */
  readonly pullMs?: number;
}

interface Sandbox {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly createdAtMs: number;
  readonly ips: readonly string[];
  state: SandboxState;
}

const stopped: SimulatedExit = { exitCode: 0, reason: "Completed", message: "" };
const killed: SimulatedExit = { exitCode: 137, reason: "Error", message: "" };

const reservedName = ({ metadata }: SandboxConfig): string =>
  `${metadata.name}_${metadata.namespace}_${metadata.uid}_${metadata.attempt}`;

/**
 * Pods that run in memory, on whatever clock is given: at once, or as annotations say (see `behaviourOf`). Small enough
 * for thousands of pods in one process.
 */
export class SimulatedRuntime implements Runtime {
  readonly features = { userNamespaces: true, supplementalGroupsPolicy: true };
  readonly isSimulated = true;
  readonly #options: SimulatedRuntimeOptions;
  readonly #addresses: AddressPool;
  readonly #images = new SimulatedImages();
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #names = new Map<string, string>();
  readonly #feed = new EventFeed();

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    this.#addresses = new AddressPool(options.podCidr);
    for (const image of options.images ?? []) this.#images.add(image);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers.values()) {
      if (container.state === "running") container.end(this.#options.clock, killed);
    }
  }

  async version() {
    return { name: "simulated", version: "0.1.0" };
  }

  async status() {
    return { runtimeReady: true, networkReady: true, message: "" };
  }

  #id(): string {
    return `${uuid(this.#options.random)}${uuid(this.#options.random)}`.replaceAll("-", "");
  }

  #sandbox(id: string): Sandbox {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) throw new RuntimeError("NOT_FOUND", `sandbox "${id}" not found`);
    return sandbox;
  }

  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new RuntimeError("NOT_FOUND", `container "${id}" not found`);
    return container;
  }

  #running(id: string): SimulatedContainer {
    const container = this.#container(id);
    if (container.state === "running") return container;
    throw new RuntimeError("FAILED_PRECONDITION", `container "${id}" is not running`);
  }

  #around({ config, ips }: Sandbox, env: ContainerConfig["env"]): Surroundings {
    return { hostname: config.hostname || config.metadata.name, ip: ips[0] ?? "127.0.0.1", env };
  }

  #aroundContainer(container: SimulatedContainer): Surroundings {
    return this.#around(this.#sandbox(container.sandboxId), container.config.env);
  }

  async runPodSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { runtimeHandler } = config;
    if (runtimeHandler !== "" && runtimeHandler !== "runc")
      throw new RuntimeError(
        "UNKNOWN",
        `failed to get sandbox runtime: no runtime for "${runtimeHandler}" is configured`,
      );
    const name = reservedName(config);
    const holder = this.#names.get(name);
    if (holder !== undefined) {
      throw new RuntimeError(
        "UNKNOWN",
        `failed to reserve sandbox name "${name}": name "${name}" is reserved for "${holder}"`,
      );
    }
    const id = this.#id();
    const ips = config.namespaces.network === "node" ? [] : [this.#addresses.take()];
    this.#names.set(name, id);
    this.#sandboxes.set(id, { id, config, ips, state: "ready", createdAtMs: this.#options.clock.now() });
    return id;
  }

  async stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined || sandbox.state === "notReady") return;
    for (const container of this.#containers.values()) {
      if (container.sandboxId === id && container.state === "running") this.#end(container, killed, false);
    }
    sandbox.state = "notReady";
    for (const ip of sandbox.ips) this.#addresses.release(ip);
    this.#feed.publish({ kind: "sandboxStopped", sandboxId: id });
  }

  async removePodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.stopPodSandbox(id);
    for (const container of [...this.#containers.values()]) if (container.sandboxId === id) this.#forget(container);
    this.#sandboxes.delete(id);
    this.#names.delete(reservedName(sandbox.config));
  }

  async listPodSandboxes(): Promise<readonly SandboxSummary[]> {
    return [...this.#sandboxes.values()].map((sandbox) => this.#summary(sandbox));
  }

  #summary({ id, config, state, createdAtMs }: Sandbox): SandboxSummary {
    const { metadata, labels, annotations } = config;
    return { id, metadata, labels, annotations, state, createdAtMs };
  }

  async podSandboxStatus(id: string): Promise<SandboxStatus> {
    const sandbox = this.#sandbox(id);
    return { ...this.#summary(sandbox), ips: sandbox.state === "ready" ? sandbox.ips : [] };
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    const sandbox = this.#sandbox(sandboxId);
    if (sandbox.state !== "ready") throw new RuntimeError("UNKNOWN", `sandbox "${sandboxId}" is not running`);
    const image = this.#images.find(config.image);
    if (image === undefined) throw new RuntimeError("NOT_FOUND", `image "${config.image}" not found`);
    const behaviour = behaviourOf(config, sandboxConfig, this.#around(sandbox, config.env));
    const logPath = config.logPath === "" ? "" : join(sandbox.config.logDirectory, config.logPath);
    const identity = { id: this.#id(), sandboxId, logPath, createdAtMs: this.#options.clock.now() };
    this.#containers.set(identity.id, new SimulatedContainer(identity, config, image, behaviour));
    return identity.id;
  }

  async startContainer(id: string, signal: AbortSignal): Promise<void> {
    const container = this.#container(id);
    if (container.state !== "created") {
      throw new RuntimeError("FAILED_PRECONDITION", `container "${id}" is in state ${container.state}`);
    }
    const { startMs, startError, output, exitCode, oomKilled } = container.behaviour;
    const { clock } = this.#options;
    if (startMs > 0) await clock.sleep(startMs, signal);
    if (startError !== undefined) {
      container.end(clock, { exitCode: 128, reason: "StartError", message: startError });
      throw new RuntimeError("UNKNOWN", startError);
    }
    const reason = oomKilled ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
    const exit = { exitCode: oomKilled ? 137 : exitCode, reason, message: "" };
    container.start(clock, () => this.#end(container, exit, oomKilled));
    this.#log(container, output);
    this.#feed.publish({ kind: "containerStarted", containerId: id });
  }

  #log(container: SimulatedContainer, text: string): void {
    if (container.logPath === "") return;
    this.#options.logs.append(container.logPath, logLines(text, "stdout", this.#options.clock.now()));
  }

  #end(container: SimulatedContainer, exit: SimulatedExit, oomKilled: boolean): void {
    if (container.state !== "running") return;
    container.end(this.#options.clock, exit);
    const { exitCode } = exit;
    const atMs = container.finishedAtMs;
    this.#feed.publish({ kind: "containerExited", containerId: container.id, exitCode, atMs, oomKilled });
  }

  async stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const container = this.#containers.get(id);
    if (container?.state !== "running") return;
    const { stopMs } = container.behaviour;
    const graceMs = graceSeconds * 1000;
    if (Math.min(stopMs, graceMs) > 0) await this.#options.clock.sleep(Math.min(stopMs, graceMs), signal);
    this.#end(container, graceMs > 0 && stopMs <= graceMs ? stopped : killed, false);
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    this.#end(container, killed, false);
    this.#forget(container);
  }

  #forget(container: SimulatedContainer): void {
    if (this.#containers.delete(container.id))
      this.#feed.publish({ kind: "containerDeleted", containerId: container.id });
  }

  async listContainers(): Promise<readonly ContainerSummary[]> {
    return [...this.#containers.values()].map((container) => container.status());
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    return this.#container(id).status();
  }

  async updateContainerResources(id: string, _resources: LinuxResources): Promise<void> {
    this.#container(id);
  }

  async reopenContainerLog(id: string): Promise<void> {
    this.#running(id);
  }

  async logWritten(): Promise<void> {}

  async execSync(
    id: string,
    command: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ExecSyncResult> {
    const container = this.#running(id);
    const told = pretendExec(command, this.#aroundContainer(container));
    const takesMs = Math.min(told.durationMs, timeoutMs === 0 ? 2 ** 31 - 1 : timeoutMs);
    if (takesMs > 0) await this.#options.clock.sleep(takesMs, signal);
    if (takesMs < told.durationMs) throw new RuntimeError("DEADLINE_EXCEEDED", `timeout ${timeoutMs / 1000}s exceeded`);
    this.#killed(container, command);
    return { stdout: Buffer.from(told.stdout), stderr: Buffer.from(told.stderr), exitCode: told.exitCode };
  }

  /** Whatever is asked passes, unless an annotation says otherwise or the command is one that can be told. */
  pretendedAnswer(
    id: string,
    { by, command }: { readonly by: ProbeKind | "hook"; readonly command: readonly string[] | undefined },
  ) {
    const container = this.#containers.get(id);
    if (container === undefined) return undefined;
    if (by !== "hook" && container.behaviour.failing.has(by)) {
      return { passes: false, message: `this container is simulated: its annotation lets the ${by} probe fail` };
    }
    if (command !== undefined && pretend(command, this.#aroundContainer(container)) !== undefined) return undefined;
    return { passes: true, message: "" };
  }

  /** `kill 1` ends the container, as it ends a real one whose process handles the signal. */
  #killed(container: SimulatedContainer, command: readonly string[]): void {
    if (/^(\S*sh -c )?kill (-\S+ )?1$/.test(command.join(" "))) this.#end(container, stopped, false);
  }

  async exec(
    id: string,
    command: readonly string[],
    options: StreamOptions,
    signal: AbortSignal,
  ): Promise<ProcessStreams> {
    const container = this.#running(id);
    this.#killed(container, command);
    return execStreams(command, options, this.#aroundContainer(container), { clock: this.#options.clock, signal });
  }

  async attach(id: string, options: StreamOptions): Promise<ProcessStreams> {
    return attachedStreams(this.#running(id).ended, options);
  }

  async portForward(sandboxId: string): Promise<Duplex> {
    return simulatedPort(this.#around(this.#sandbox(sandboxId), []));
  }

  async streamingUrl(): Promise<undefined> {
    return undefined;
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#feed.listen(signal);
  }

  async listImages(): Promise<readonly ImageSummary[]> {
    return this.#images.list();
  }

  async imageStatus(reference: string): Promise<ImageSummary | undefined> {
    return this.#images.find(reference);
  }

  async pullImage(reference: string, _auth: unknown, signal: AbortSignal): Promise<string> {
    const { clock, pullMs = 0 } = this.#options;
    if (pullMs > 0) await clock.sleep(pullMs, signal);
    return this.#images.pull(reference).id;
  }

  async removeImage(reference: string): Promise<void> {
    this.#images.remove(reference);
  }

  async prepareImageFiles(): Promise<undefined> {}

  async releaseImageFiles(): Promise<void> {}

  /** Archives cannot be read without a real runtime: whatever it holds counts as one image without a name. */
  async importImage(archive: Readable): Promise<readonly string[]> {
    let bytes = 0;
    for await (const chunk of archive) bytes += Buffer.byteLength(chunk);
    const name = normalizeImageName(`simulated/import:${bytes}`);
    this.#images.add(name);
    return [name];
  }

  async imageFsInfo() {
    return { mountpoint: "/", usedBytes: this.#images.usedBytes, inodesUsed: 0 };
  }

  async removeStrays(): Promise<readonly string[]> {
    return [];
  }

  async containerStats(): Promise<readonly ContainerStats[]> {
    const atMs = this.#options.clock.now();
    const running = [...this.#containers.values()].filter(({ state }) => state === "running");
    return running.map(({ id, startedAtMs, behaviour: { cpus, memoryBytes } }) => ({
      id,
      atMs,
      cpuNanos: Math.round((atMs - startedAtMs) * 1e6 * cpus),
      memoryWorkingSetBytes: memoryBytes,
      memoryUsageBytes: memoryBytes,
      memoryRssBytes: memoryBytes,
      writableLayerBytes: 0,
      writableLayerInodes: 0,
    }));
  }
}
