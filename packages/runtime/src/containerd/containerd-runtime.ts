import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { arch } from "node:process";
import type { Duplex, Readable } from "node:stream";
import { type Clock, type Logger, Turns } from "@skiff/base";
import type { GrpcChannel, Init, Method } from "@skiff/grpc";
import type { Cgroups, Processes } from "@skiff/host";
import {
  type ContainerConfig,
  type ContainerStats,
  type ContainerStatus,
  type ContainerSummary,
  type ExecSyncResult,
  type FileSystemMount,
  type ImageSummary,
  type LinuxResources,
  type ProcessStreams,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
  type SandboxSummary,
  type StreamingRequest,
  type StreamOptions,
} from "../runtime.ts";
import { withCdiDevices } from "./cdi-spec.ts";
import { ContainerdImages } from "./containerd-images.ts";
import { createContainer, injectsCdiDevices } from "./create-container.ts";
import {
  containerStats,
  containerStatus,
  containerSummary,
  criContainerConfig,
  criResources,
} from "./cri-container.ts";
import { criSandboxConfig, sandboxStatus, sandboxSummary } from "./cri-sandbox.ts";
import { type ExecContext, startExec } from "./exec.ts";
import { FirstProcesses } from "./first-processes.ts";
import { RuntimeService } from "./generated/runtime-v1.ts";
import { runtimeChannel } from "./grpc-error.ts";
import { KnownContainers } from "./known-containers.ts";
import { logWritten } from "./log-written.ts";
import { nativeCall, Tasks } from "./native.ts";
import { sendOwnStopSignal } from "./own-stop-signal.ts";
import { pauseImage, pauseImageName } from "./pause-image.ts";
import { PauseSeccomp } from "./pause-seccomp.ts";
import { runtimeEvents } from "./runtime-events.ts";
import { type StopAttempt, stopMs, stopping } from "./stopping.ts";
import { StrayRemains } from "./stray-remains.ts";
import { endStrayShims } from "./stray-shims.ts";
import { attachStreams, forwardPort } from "./streaming.ts";

/** What the runtime works with. */
export interface ContainerdRuntimeOptions {
  /** Path of containerd's socket. */
  readonly socket: string;
  /** Folder for the named pipes of commands run by `exec`; below `/run`. */
  readonly pipesDirectory: string;
  readonly processes: Processes;
  readonly cgroups: Pick<Cgroups, "oomKills">;
  readonly clock: Clock;
  readonly logger: Logger;
}

const requestMs = 120_000;

/** Drives a containerd through its CRI, and where that cannot do it, through containerd's own API. */
export class ContainerdRuntime implements Runtime {
  /** Known to containerd from 2.0 on. */
  readonly features = { userNamespaces: false, supplementalGroupsPolicy: false };
  readonly #channel: GrpcChannel;
  readonly #known: KnownContainers;
  readonly #firstProcesses: FirstProcesses;
  readonly #options: ContainerdRuntimeOptions;
  readonly #exec: ExecContext;
  readonly #images: ContainerdImages;
  readonly #strayRemains: StrayRemains;
  readonly #pauseSeccomp: PauseSeccomp;
  /** Sandboxes that are being made, the oldest first. */
  readonly #begun = new Set<{ readonly ms: number }>();
  /**
   * Making and taking down pods is work for the processor: done a few at a time, a hundred pods are there just as soon, the
   * first of them much sooner, and none of them late for a deadline.
   */
  readonly #turns = new Turns(8 * availableParallelism());

  constructor(options: ContainerdRuntimeOptions) {
    this.#options = options;
    this.#channel = runtimeChannel(options.socket, options.clock);
    this.#known = new KnownContainers(this.#channel);
    this.#images = new ContainerdImages(this.#channel, options.clock);
    const { processes, clock } = options;
    this.#firstProcesses = new FirstProcesses(processes, clock);
    this.#strayRemains = new StrayRemains({ stateDirectory: dirname(options.socket), processes, clock });
    this.#pauseSeccomp = new PauseSeccomp(this.#channel, join(dirname(options.socket), "pause-seccomp.json"));
    this.#exec = { channel: this.#channel, processes, clock, folder: options.pipesDirectory };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel[Symbol.dispose]();
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Init<Request>,
    signal: AbortSignal,
    deadlineMs = requestMs,
  ): Promise<Response> {
    return this.#channel.call(method, request, { signal, deadlineMs });
  }

  async version(signal: AbortSignal) {
    const { runtimeName, runtimeVersion } = await this.#call(RuntimeService.version, {}, signal, 5000);
    return { name: runtimeName, version: runtimeVersion.replace(/^v(?=\d)/, "") };
  }

  async status(signal: AbortSignal) {
    const { status } = await this.#call(RuntimeService.status, {}, signal, 10_000);
    const conditions = status?.conditions ?? [];
    const isMet = (type: string) => conditions.some((one) => one.type === type && one.status);
    const messages = conditions.filter((one) => !one.status).map((one) => one.message || one.reason || one.type);
    return {
      runtimeReady: isMet("RuntimeReady"),
      networkReady: isMet("NetworkReady"),
      message: messages.join("; "),
    };
  }

  async runPodSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    const seccomp = this.#pauseSeccomp.inPlaceOf(config.seccomp);
    const request = { config: criSandboxConfig({ ...config, seccomp }), runtimeHandler: config.runtimeHandler };
    const begun = { ms: this.#options.clock.monotonic() };
    this.#begun.add(begun);
    try {
      const run = () => this.#call(RuntimeService.runPodSandbox, request, signal, 2 * requestMs);
      const { podSandboxId } = await this.#turns.take(run, signal);
      this.#known.note(podSandboxId, "sandbox");
      await this.#pauseSeccomp.learn(podSandboxId, config, signal);
      return podSandboxId;
    } catch (error) {
      this.#pauseSeccomp.forget();
      throw error;
    } finally {
      this.#begun.delete(begun);
    }
  }

  stopPodSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#endSandbox(RuntimeService.stopPodSandbox, id, signal);
  }

  removePodSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#endSandbox(RuntimeService.removePodSandbox, id, signal);
  }

  async #endSandbox(
    method: typeof RuntimeService.stopPodSandbox | typeof RuntimeService.removePodSandbox,
    id: string,
    signal: AbortSignal,
  ): Promise<void> {
    const end = async (deadlineMs: number) => {
      await this.#firstProcesses.kill([...this.#known.idsIn(id), id], signal);
      await this.#call<{ readonly podSandboxId: string }, unknown>(method, { podSandboxId: id }, signal, deadlineMs);
    };
    await this.#stopping(stopMs, signal, (deadlineMs) => this.#turns.take(() => end(deadlineMs), signal));
  }

  async listPodSandboxes(signal: AbortSignal): Promise<readonly SandboxSummary[]> {
    const { items } = await this.#call(RuntimeService.listPodSandbox, {}, signal);
    for (const { id } of items) this.#known.note(id, "sandbox");
    return items.map(sandboxSummary);
  }

  async podSandboxStatus(id: string, signal: AbortSignal): Promise<SandboxStatus> {
    const { status } = await this.#call(RuntimeService.podSandboxStatus, { podSandboxId: id }, signal);
    if (status === undefined) throw new RuntimeError("NOT_FOUND", `there is no sandbox ${id}`);
    return sandboxStatus(status);
  }

  async createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
    signal: AbortSignal,
  ): Promise<string> {
    const names = config.cdiDevices ?? [];
    const injects = names.length > 0 && injectsCdiDevices((await this.version(signal)).version);
    const made = injects ? config : await withCdiDevices(config);
    const request = {
      podSandboxId: sandboxId,
      config: { ...criContainerConfig(made), cdiDevices: injects ? names.map((name) => ({ name })) : [] },
      sandboxConfig: criSandboxConfig(sandbox),
    };
    const create = () => this.#call(createContainer, request, signal);
    const { containerId } = await this.#turns.take(create, signal);
    this.#known.created(containerId, {
      sandboxId,
      imageId: config.image,
      cgroup: `${sandbox.cgroupParent}/${containerId}`,
      stopSignal: config.stopSignal,
    });
    return containerId;
  }

  async startContainer(id: string, signal: AbortSignal): Promise<void> {
    await this.#turns.take(() => this.#call(RuntimeService.startContainer, { containerId: id }, signal), signal);
  }

  async stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const facts = this.#known.facts(id);
    if (graceSeconds > 0) await sendOwnStopSignal(this.#channel, { id, facts }, { signal, deadlineMs: stopMs });
    else await this.#firstProcesses.kill([id], signal);
    const startMs = this.#options.clock.monotonic();
    await this.#stopping(graceSeconds * 1000 + stopMs, signal, (deadlineMs) => {
      // The grace began with the first attempt.
      const leftMs = Math.max(0, graceSeconds * 1000 - (this.#options.clock.monotonic() - startMs));
      return this.#call(
        RuntimeService.stopContainer,
        { containerId: id, timeout: Math.ceil(leftMs / 1000) },
        signal,
        deadlineMs,
      );
    });
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    await this.#stopping(stopMs, signal, (deadlineMs) =>
      this.#call(RuntimeService.removeContainer, { containerId: id }, signal, deadlineMs),
    );
  }

  #stopping(deadlineMs: number, signal: AbortSignal, attempt: StopAttempt): Promise<void> {
    return stopping({ deadlineMs, attempt, ...this.#options }, signal);
  }

  async listContainers(signal: AbortSignal): Promise<readonly ContainerSummary[]> {
    const { containers } = await this.#call(RuntimeService.listContainers, {}, signal);
    for (const { id } of containers) this.#known.note(id, "container");
    return containers.map(containerSummary);
  }

  async containerStatus(id: string, signal: AbortSignal): Promise<ContainerStatus> {
    const facts = this.#known.facts(id);
    const [{ status }, { containers }] = await Promise.all([
      this.#call(RuntimeService.containerStatus, { containerId: id }, signal),
      // The status does not say what only containers of an earlier life have to be asked for.
      facts !== undefined ? { containers: [] } : this.#call(RuntimeService.listContainers, { filter: { id } }, signal),
    ]);
    if (status === undefined) throw new RuntimeError("NOT_FOUND", `there is no container ${id}`);
    const listed = containers.find((one) => one.id === status.id);
    const { sandboxId, imageId } = facts ?? { sandboxId: listed?.podSandboxId, imageId: listed?.imageRef };
    return containerStatus(status, { sandboxId: sandboxId ?? "", imageId: imageId ?? "" });
  }

  async updateContainerResources(id: string, resources: LinuxResources, signal: AbortSignal): Promise<void> {
    const request = { containerId: id, linux: criResources(resources) };
    await this.#call(RuntimeService.updateContainerResources, request, signal);
  }

  async reopenContainerLog(id: string, signal: AbortSignal): Promise<void> {
    await this.#call(RuntimeService.reopenContainerLog, { containerId: id }, signal);
  }

  logWritten(id: string, signal: AbortSignal): Promise<void> {
    return logWritten(this.#channel, id, { clock: this.#options.clock, signal });
  }

  async execSync(
    id: string,
    command: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ExecSyncResult> {
    const request = { containerId: id, cmd: command, timeout: Math.ceil(timeoutMs / 1000) };
    const options = timeoutMs === 0 ? { signal } : { signal, deadlineMs: timeoutMs + stopMs };
    const { stdout, stderr, exitCode } = await this.#channel.call(RuntimeService.execSync, request, options);
    return { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), exitCode };
  }

  exec(id: string, command: readonly string[], options: StreamOptions, signal: AbortSignal): Promise<ProcessStreams> {
    return startExec(this.#exec, id, command, options, signal);
  }

  async attach(id: string, options: StreamOptions, signal: AbortSignal): Promise<ProcessStreams> {
    const url = await this.#url({ kind: "attach", containerId: id, ...options }, signal);
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const exit = nativeCall(this.#channel, Tasks.wait, { containerId: id }, { signal: either }).then(
      ({ exitStatus }) => exitStatus,
    );
    exit.catch(() => {});
    try {
      const streams = await attachStreams(url, options, exit, { clock: this.#options.clock, signal });
      streams.exit.then(
        () => over.abort(),
        () => over.abort(),
      );
      return streams;
    } catch (error) {
      over.abort();
      throw error;
    }
  }

  async portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return forwardPort(await this.#url({ kind: "portForward", sandboxId }, signal), port, signal);
  }

  streamingUrl(request: StreamingRequest, signal: AbortSignal): Promise<URL> {
    return this.#url(request, signal);
  }

  async #url(request: StreamingRequest, signal: AbortSignal): Promise<URL> {
    switch (request.kind) {
      case "exec": {
        const { containerId, command, stdin, stdout, stderr, tty } = request;
        const exec = { containerId, cmd: command, stdin, stdout, stderr: stderr && !tty, tty };
        return new URL((await this.#call(RuntimeService.exec, exec, signal)).url);
      }
      case "attach": {
        const { containerId, stdin, stdout, stderr, tty } = request;
        const attach = { containerId, stdin, stdout, stderr: stderr && !tty, tty };
        return new URL((await this.#call(RuntimeService.attach, attach, signal)).url);
      }
      case "portForward": {
        const forward = { podSandboxId: request.sandboxId, port: [] };
        return new URL((await this.#call(RuntimeService.portForward, forward, signal)).url);
      }
    }
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const { cgroups, clock, logger } = this.#options;
    return runtimeEvents(this.#channel, {
      known: this.#known,
      firstProcesses: this.#firstProcesses,
      cgroups,
      clock,
      logger,
      signal,
    });
  }

  listImages(signal: AbortSignal): Promise<readonly ImageSummary[]> {
    return this.#images.list(signal);
  }

  imageStatus(reference: string, signal: AbortSignal): Promise<ImageSummary | undefined> {
    return this.#images.find(reference, signal);
  }

  pullImage(reference: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    return this.#images.pull(reference, auth, signal);
  }

  removeImage(reference: string, signal: AbortSignal): Promise<void> {
    return this.#images.remove(reference, signal);
  }

  importImage(archive: Readable, signal: AbortSignal): Promise<readonly string[]> {
    return this.#images.import(archive, {}, signal);
  }

  /** Makes sure that the image of the sandboxes is there. Must have been done once before the first pod. */
  async ensurePauseImage(signal: AbortSignal): Promise<void> {
    if ((await this.imageStatus(pauseImageName, signal)) !== undefined) return;
    await this.#images.import(pauseImage(arch), { "io.cri-containerd.pinned": "pinned" }, signal);
  }

  prepareImageFiles(image: string, key: string, signal: AbortSignal): Promise<FileSystemMount> {
    return this.#images.prepareFiles(image, key, signal);
  }

  releaseImageFiles(key: string, signal: AbortSignal): Promise<void> {
    return this.#images.releaseFiles(key, signal);
  }

  imageFsInfo(signal: AbortSignal) {
    return this.#images.fileSystem(signal);
  }

  async removeStrays(signal: AbortSignal): Promise<readonly string[]> {
    const { socket, processes, clock } = this.#options;
    const shims = await endStrayShims(this.#channel, { socket, processes, clock }, signal);
    const [first] = this.#begun;
    const known = [...(await this.listPodSandboxes(signal)), ...(await this.listContainers(signal))];
    const ids = new Set(known.map(({ id }) => id));
    return [...shims, ...(await this.#strayRemains.sweep({ ids, begunMs: first?.ms }, signal))];
  }

  async containerStats(signal: AbortSignal): Promise<readonly ContainerStats[]> {
    const { stats } = await this.#call(RuntimeService.listContainerStats, {}, signal);
    return stats.map(containerStats);
  }
}
