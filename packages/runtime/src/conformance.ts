/**
 * What every runtime must keep, as tests. `containerd/` and `simulated/` are both held to it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "@skiff/base";
import {
  type ContainerConfig,
  type ContainerStatus,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
} from "./runtime.ts";

/** A runtime to be tried, with an image whose containers run until told to stop. */
export interface Subject {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly image: string;
  /** Folder for the containers' logs. */
  readonly logDirectory: string;
  /** Parent of the pods' control groups. */
  readonly cgroupParent: string;
}

let serial = 0;

/** A sandbox's configuration with nothing special in it. */
export function sandboxConfig(subject: Subject, changes: Partial<SandboxConfig> = {}): SandboxConfig {
  const name = `pod-${serial++}`;
  return {
    metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
    hostname: name,
    logDirectory: `${subject.logDirectory}/${name}`,
    dns: { servers: ["10.43.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] },
    portMappings: [],
    labels: { app: name },
    annotations: {},
    cgroupParent: subject.cgroupParent,
    sysctls: {},
    namespaces: { network: "pod", pid: "container", ipc: "pod" },
    supplementalGroups: [],
    privileged: false,
    readonlyRootfs: false,
    seccomp: { kind: "runtimeDefault" },
    runtimeHandler: "",
    ...changes,
  };
}

/** A container's configuration with nothing special in it. */
export function containerConfig(image: string, changes: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    name: "main",
    attempt: 0,
    image,
    userImage: image,
    command: [],
    args: [],
    workingDir: "",
    env: [],
    mounts: [],
    devices: [],
    labels: { part: "main" },
    annotations: { note: "kept" },
    logPath: "main_0.log",
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    security: {
      privileged: false,
      addCapabilities: [],
      dropCapabilities: [],
      namespaces: { network: "pod", pid: "container", ipc: "pod" },
      supplementalGroups: [],
      readonlyRootfs: false,
      noNewPrivileges: false,
      seccomp: { kind: "runtimeDefault" },
      maskedPaths: [],
      readonlyPaths: [],
    },
    ...changes,
  };
}

/** A running pod of one container, and its removal. */
export async function runPod(
  { runtime, image }: Subject,
  sandbox: SandboxConfig,
  changes: Partial<ContainerConfig>,
  signal: AbortSignal,
): Promise<{ readonly sandboxId: string; readonly containerId: string } & AsyncDisposable> {
  const sandboxId = await runtime.runPodSandbox(sandbox, signal);
  const remove = async () => {
    await runtime.stopPodSandbox(sandboxId, signal);
    await runtime.removePodSandbox(sandboxId, signal);
  };
  try {
    const known = await runtime.imageStatus(image, signal);
    const containerId = await runtime.createContainer(
      sandboxId,
      containerConfig(known?.id ?? image, changes),
      sandbox,
      signal,
    );
    await runtime.startContainer(containerId, signal);
    return { sandboxId, containerId, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Waits until a container's status shows what is asked for. */
export async function untilStatus(
  { runtime, clock }: Subject,
  id: string,
  wanted: (status: ContainerStatus) => boolean,
  signal: AbortSignal,
): Promise<ContainerStatus> {
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 10) {
    const status = await runtime.containerStatus(id, signal);
    if (wanted(status)) return status;
    await clock.sleep(10, signal);
  }
  throw new Error(`container ${id} did not come to the wanted state`);
}

const withCode = (code: RuntimeError["code"]) => (error: unknown) =>
  error instanceof RuntimeError && error.code === code;

/** The suite. `subject` is asked for once the tests run. */
export function runtimeConformance(name: string, subject: () => Subject): void {
  const { signal } = new AbortController();
  describe(`${name} as a container runtime`, () => {
    sandboxTests(subject, signal);
    containerTests(subject, signal);
    imageTests(subject, signal);
  });
}

function sandboxTests(subject: () => Subject, signal: AbortSignal): void {
  it("says that it is ready", async () => {
    const { runtimeReady, networkReady } = await subject().runtime.status(signal);
    assert.deepEqual({ runtimeReady, networkReady }, { runtimeReady: true, networkReady: true });
    assert.notEqual((await subject().runtime.version(signal)).version, "");
  });

  it("runs, lists, stops and removes a sandbox, each as often as asked", async () => {
    const { runtime } = subject();
    const config = sandboxConfig(subject(), { annotations: { note: "kept" } });
    const id = await runtime.runPodSandbox(config, signal);
    const status = await runtime.podSandboxStatus(id, signal);
    assert.equal(status.state, "ready");
    assert.deepEqual(status.metadata, config.metadata);
    assert.deepEqual([status.labels, status.annotations], [config.labels, config.annotations]);
    assert.match(status.ips[0] ?? "", /^\d+\.\d+\.\d+\.\d+$/);
    assert.ok((await runtime.listPodSandboxes(signal)).some((one) => one.id === id && one.state === "ready"));
    await runtime.stopPodSandbox(id, signal);
    await runtime.stopPodSandbox(id, signal);
    assert.equal((await runtime.podSandboxStatus(id, signal)).state, "notReady");
    await runtime.removePodSandbox(id, signal);
    await runtime.removePodSandbox(id, signal);
    await runtime.stopPodSandbox(id, signal);
    await assert.rejects(runtime.podSandboxStatus(id, signal), withCode("NOT_FOUND"));
  });

  it("removes a sandbox in which a container runs", async () => {
    const { runtime } = subject();
    const pod = await runPod(subject(), sandboxConfig(subject()), {}, signal);
    await runtime.removePodSandbox(pod.sandboxId, signal);
    await assert.rejects(runtime.podSandboxStatus(pod.sandboxId, signal), withCode("NOT_FOUND"));
    await assert.rejects(runtime.containerStatus(pod.containerId, signal), withCode("NOT_FOUND"));
  });

  it("keeps a sandbox's name until it is removed: another needs another attempt", async () => {
    const { runtime } = subject();
    const config = sandboxConfig(subject());
    const first = await runtime.runPodSandbox(config, signal);
    await runtime.stopPodSandbox(first, signal);
    await assert.rejects(runtime.runPodSandbox(config, signal), RuntimeError);
    const again = { ...config, metadata: { ...config.metadata, attempt: 1 } };
    const second = await runtime.runPodSandbox(again, signal);
    for (const id of [first, second]) {
      await runtime.stopPodSandbox(id, signal);
      await runtime.removePodSandbox(id, signal);
    }
  });
}

function containerTests(subject: () => Subject, signal: AbortSignal): void {
  it("takes a container through created, running and exited", async () => {
    const { runtime, image } = subject();
    const sandbox = sandboxConfig(subject());
    const sandboxId = await runtime.runPodSandbox(sandbox, signal);
    const imageId = (await runtime.imageStatus(image, signal))?.id ?? "";
    const config = containerConfig(imageId, { userImage: "as-written:1", stopSignal: "SIGTERM" });
    const id = await runtime.createContainer(sandboxId, config, sandbox, signal);
    const created = await runtime.containerStatus(id, signal);
    assert.deepEqual([created.state, created.startedAtMs, created.name], ["created", 0, "main"]);
    assert.deepEqual([created.labels, created.annotations], [config.labels, config.annotations]);
    assert.deepEqual([created.userImage, created.imageId, created.sandboxId], ["as-written:1", imageId, sandboxId]);
    await runtime.startContainer(id, signal);
    const running = await runtime.containerStatus(id, signal);
    assert.equal(running.state, "running");
    assert.ok(running.startedAtMs >= running.createdAtMs);
    assert.ok((await runtime.listContainers(signal)).some((one) => one.id === id && one.userImage === "as-written:1"));
    // A first process has no use for a signal that it does not handle yet.
    const handlesTerm = "while ! grep -q '^SigCgt:.*[4-7c-f]...$' /proc/1/status; do sleep 0.05; done";
    await runtime.execSync(id, ["sh", "-c", handlesTerm], 30_000, signal);
    await runtime.stopContainer(id, 30, signal);
    await runtime.stopContainer(id, 30, signal);
    const exited = await untilStatus(subject(), id, ({ state }) => state === "exited", signal);
    assert.deepEqual([exited.exitCode, exited.reason], [0, "Completed"]);
    assert.ok(exited.finishedAtMs >= exited.startedAtMs);
    await runtime.removeContainer(id, signal);
    await runtime.removeContainer(id, signal);
    await assert.rejects(runtime.containerStatus(id, signal), withCode("NOT_FOUND"));
    await runtime.stopPodSandbox(sandboxId, signal);
    await runtime.removePodSandbox(sandboxId, signal);
  });

  it("tells of starts, exits with their code, and sandboxes that stop", async () => {
    const { runtime } = subject();
    const over = new AbortController();
    const seen: RuntimeEvent[] = [];
    const events = runtime.events(over.signal);
    const reading = (async () => {
      for await (const event of events) seen.push(event);
    })();
    const pod = await runPod(subject(), sandboxConfig(subject()), {}, signal);
    await runtime.stopContainer(pod.containerId, 0, signal);
    await pod[Symbol.asyncDispose]();
    const wanted = () => seen.some((event) => event.kind === "sandboxStopped" && event.sandboxId === pod.sandboxId);
    for (let waitedMs = 0; waitedMs < 60_000 && !wanted(); waitedMs += 10) await subject().clock.sleep(10, signal);
    over.abort();
    await reading;
    const own = seen.filter((event) => "containerId" in event && event.containerId === pod.containerId);
    assert.deepEqual(own.map(({ kind }) => kind).slice(0, 2), ["containerStarted", "containerExited"]);
    const exit = own.find((event) => event.kind === "containerExited");
    assert.deepEqual([exit?.exitCode, exit?.oomKilled], [137, false]);
    assert.ok(wanted());
  });

  it("runs a command to its end in a container", async () => {
    await using pod = await runPod(subject(), sandboxConfig(subject()), {}, signal);
    const { stdout, exitCode } = await subject().runtime.execSync(pod.containerId, ["hostname"], 0, signal);
    assert.deepEqual([stdout.toString().startsWith("pod-"), exitCode], [true, 0]);
    assert.equal((await subject().runtime.execSync(pod.containerId, ["false"], 0, signal)).exitCode, 1);
  });

  it("refuses what is not there", async () => {
    const { runtime } = subject();
    await assert.rejects(runtime.startContainer("nosuch", signal), withCode("NOT_FOUND"));
    await assert.rejects(runtime.execSync("nosuch", ["true"], 0, signal), withCode("NOT_FOUND"));
    await runtime.stopContainer("nosuch", 0, signal);
    await runtime.removeContainer("nosuch", signal);
  });
}

function imageTests(subject: () => Subject, signal: AbortSignal): void {
  it("knows its images by short name, full name and id", async () => {
    const { runtime, image } = subject();
    const known = await runtime.imageStatus(image, signal);
    assert.match(known?.id ?? "", /^sha256:[0-9a-f]{64}$/);
    for (const reference of known?.repoTags ?? [])
      assert.equal((await runtime.imageStatus(reference, signal))?.id, known?.id);
    assert.equal((await runtime.imageStatus(known?.id ?? "", signal))?.id, known?.id);
    assert.equal(await runtime.imageStatus("nosuch/image:1", signal), undefined);
    assert.ok((await runtime.listImages(signal)).some(({ id }) => id === known?.id));
  });
}
