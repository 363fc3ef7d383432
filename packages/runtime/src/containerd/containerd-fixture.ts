/** A containerd of a test's own: other folders, sockets, bridge and control groups than any other; leaves nothing. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@skiff/base";
import {
  isWithin,
  type StartedProcess,
  SystemCgroups,
  systemMounts,
  systemNetwork,
  systemProcesses,
} from "@skiff/host";
import type { Subject } from "../conformance.ts";
import { helloImage, helloImageName } from "../hello-image.ts";
import { connectContainerd } from "./connect-containerd.ts";
import {
  type ContainerdConfig,
  containerdSocket,
  prepareContainerd,
  type RegistryConfig,
} from "./containerd-config.ts";
import type { ContainerdRuntime } from "./containerd-runtime.ts";

export interface ContainerdFixture extends AsyncDisposable {
  readonly runtime: ContainerdRuntime;
  readonly subject: Subject;
  readonly config: ContainerdConfig;
  /** Kills containerd without warning and starts it again. */
  crash(): Promise<void>;
  /** What is left of pods once all are removed: mounts, links, control groups, processes. Should be empty. */
  leftovers(): Promise<readonly string[]>;
}

const { signal } = new AbortController();

async function removePods(runtime: ContainerdRuntime): Promise<void> {
  for (const { id } of await runtime.listPodSandboxes(signal)) {
    await runtime.stopPodSandbox(id, signal);
    await runtime.removePodSandbox(id, signal);
  }
}

/** Starts containerd with the hello image in place. */
export async function startContainerd(registries: readonly RegistryConfig[] = []): Promise<ContainerdFixture> {
  const folder = await mkdtemp(join(tmpdir(), "skiff-containerd-"));
  const name = `sk${process.pid}`;
  const stateDirectory = `/run/${name}`;
  // Tests of several checkouts may run on one machine.
  const subnet = `10.219.${process.pid % 250}`;
  const network = { bridge: name, podCidr: `${subnet}.0/24`, gateway: `${subnet}.1` };
  const config: ContainerdConfig = {
    rootDirectory: join(folder, "containerd"),
    stateDirectory,
    network,
    registries,
  };
  const { command, args } = await prepareContainerd(config, systemProcesses, signal);
  const logFile = join(folder, "containerd.log");
  const start = () => systemProcesses.start(command, { args, log: { kind: "file", path: logFile } });
  let process_: StartedProcess = await start();
  const cgroups = new SystemCgroups();
  const options = {
    socket: containerdSocket(config),
    pipesDirectory: join(stateDirectory, "exec"),
    processes: systemProcesses,
    cgroups,
    clock: systemClock,
    logger: silentLogger,
  };
  const runtime = await connectContainerd(options, { timeoutMs: 60_000, signal });
  await runtime.importImage(await helloImage(1, systemProcesses, signal), signal);
  const cgroupParent = `/${name}/pod1`;
  await cgroups.create(cgroupParent, {});
  await mkdir(join(folder, "logs"));
  const mounts = systemMounts();
  const { links } = systemNetwork();
  return {
    runtime,
    config,
    subject: {
      runtime,
      clock: systemClock,
      image: helloImageName(1),
      logDirectory: join(folder, "logs"),
      cgroupParent,
    },
    async crash() {
      process_.kill("SIGKILL");
      await process_.exit;
      process_ = await start();
    },
    async leftovers() {
      await removePods(runtime);
      const mounted = (await mounts.list()).filter(
        ({ target }) => isWithin(target, stateDirectory) || isWithin(target, folder),
      );
      const cables = async () => (await links.list(signal)).filter(({ master }) => master === name);
      // They go with their namespaces, which the kernel takes away when it has the time.
      const deadlineMs = systemClock.monotonic() + 60_000;
      while ((await cables()).length > 0 && systemClock.monotonic() < deadlineMs) await systemClock.sleep(20, signal);
      const ports = await cables();
      const groups = await cgroups.children(cgroupParent);
      const pids = await cgroups.processes(`/${name}`);
      return [
        ...mounted.map(({ target }) => target),
        ...ports.map((port) => port.name),
        ...groups,
        ...pids.map(String),
      ];
    },
    async [Symbol.asyncDispose]() {
      await removePods(runtime);
      await runtime[Symbol.asyncDispose]();
      process_.kill("SIGTERM");
      await process_.exit;
      await cgroups.remove(`/${name}`);
      await links.remove(name, signal);
      await mounts.unmountBelow(stateDirectory, signal);
      await mounts.unmountBelow(folder, signal);
      const log = await readFile(logFile, "utf8");
      if (/panic:/.test(log)) throw new Error(`containerd crashed:\n${log}`);
      await rm(stateDirectory, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
