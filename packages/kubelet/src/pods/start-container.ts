import { chmod, readFile, writeFile } from "node:fs/promises";
import { ConfigMaps, type Container, type Pod, Pods, Secrets } from "@skiff/api";
import { abortable, describeError, isAbort } from "@skiff/base";
import type { ImageSummary, Mount, SandboxConfig, SandboxStatus } from "@skiff/runtime";
import { ContainerConfigError, environment } from "../env/environment.ts";
import { serviceEnvironment } from "../env/service-env.ts";
import { mergeGrants } from "../grants/container-grant.ts";
import { ImageFailure } from "../images/image-failure.ts";
import { checkNonRoot } from "../security/linux-security.ts";
import { containerDevices, containerMounts, volumeFile } from "../volumes/container-mounts.ts";
import { containerConfig, terminationMessageMount } from "./container-config.ts";
import { hostsFile } from "./dns.ts";
import { runHook } from "./hooks.ts";
import type { NodeParts } from "./node-parts.ts";
import { newest } from "./plan.ts";
import { fieldPathOf } from "./pod-identity.ts";
import { stopContainer } from "./stop-container.ts";

/** A container did not get to run; `reason` and message become its waiting state. */
export class StartFailure extends Error {
  override name = "StartFailure";
  readonly reason: string;
  /** After how long it is worth trying again. */
  readonly retryMs: number;
  constructor(reason: string, message: string, retryMs: number) {
    super(message);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

export interface StartInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** Volumes are set up. Rejects when they cannot be. */
  readonly volumes: Promise<unknown>;
  readonly sandbox: { readonly status: SandboxStatus; readonly config: SandboxConfig };
  /** Containers started together come up one after the other: resolves when it is this one's turn. */
  readonly turn: Promise<unknown>;
}

const retryMs = 10_000;

/** Starts one container, all the way to the end of its postStart hook. Throws `StartFailure`. */
export async function startContainer(parts: NodeParts, input: StartInput): Promise<void> {
  const { pod, container, signal } = input;
  const say = (type: "Normal" | "Warning", reason: string, message: string) =>
    parts.recorder.record(Pods, pod, { type, reason, message, fieldPath: fieldPathOf(pod, container) });
  const podIps = pod.spec.hostNetwork === true ? parts.node.addresses : input.sandbox.status.ips;
  const files = containerFiles(parts, input, podIps);
  // Told where they are needed, unless something else fails before.
  files.catch(() => {});
  const image = await ensureImage(parts, input);
  const { status: sandbox, config: sandboxConfig } = input.sandbox;
  // A pod that is deleted does not wait for what will never come.
  await abortable(input.volumes, signal);
  await abortable(input.turn, signal);
  signal.throwIfAborted();
  const failed = (reason: string, error: unknown): unknown => {
    if (isAbort(error, signal)) return error;
    const message = describeError(error);
    say("Warning", "Failed", `Error: ${message}`);
    return new StartFailure(reason, message, retryMs);
  };
  const config = await configure(parts, input, { image, podIps, files }).catch((error: unknown) => {
    throw failed("CreateContainerConfigError", error);
  });
  const id = await parts.runtime.createContainer(sandbox.id, config, sandboxConfig, signal).catch((error: unknown) => {
    throw failed("CreateContainerError", error);
  });
  say("Normal", "Created", "Container created");
  using _ = parts.cache.starting(id);
  try {
    await parts.runtime.startContainer(id, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const message = describeError(error);
    say("Warning", "Failed", `Error: ${message}`);
    await parts.cache.refreshContainer(id, signal);
    throw new StartFailure("RunContainerError", message, 0);
  }
  say("Normal", "Started", "Container started");
  await parts.cache.refreshContainer(id, signal);
  await postStart(parts, input, { id, podIp: podIps[0] ?? "" });
}

async function ensureImage(parts: NodeParts, { pod, container, signal }: StartInput): Promise<ImageSummary> {
  try {
    return await parts.images.ensure(pod, container, signal);
  } catch (error) {
    if (error instanceof ImageFailure) {
      const fieldPath = fieldPathOf(pod, container);
      parts.recorder.record(Pods, pod, {
        type: "Warning",
        reason: "Failed",
        message: `Error: ${error.reason}`,
        fieldPath,
      });
      throw new StartFailure(error.reason, error.message, error.retryMs);
    }
    if (isAbort(error, signal)) throw error;
    throw new StartFailure("ImageInspectError", describeError(error), retryMs);
  }
}

async function configure(
  parts: NodeParts,
  { pod, container, attempt, signal }: StartInput,
  facts: { readonly image: ImageSummary; readonly podIps: readonly string[]; readonly files: Promise<Mount> },
) {
  const { namespace, uid } = pod.metadata;
  checkNonRoot(pod, container, facts.image);
  const target = targetOf(parts, pod, container);
  const env = await environment({
    pod,
    container,
    facts: { podIps: facts.podIps, hostIps: parts.node.addresses },
    allocatable: parts.allocatable,
    services: serviceEnvironment(parts.services.list(), {
      namespace,
      enableServiceLinks: pod.spec.enableServiceLinks !== false,
    }),
    sources: {
      configMap: (name) => parts.objects.get(ConfigMaps, { namespace, name }, { owner: uid, signal }),
      secret: (name) => parts.objects.get(Secrets, { namespace, name }, { owner: uid, signal }),
      file: (volume, path) => volumeFile(pod, { volume, path }, parts.volumes),
    },
  });
  const { volumes, subPaths, logger, grants } = parts;
  const mounts = await containerMounts(pod, container, { volumes, subPaths, env, logger, signal });
  const grant = mergeGrants([await grants.grant(pod, container, signal), parts.claims.grant(pod, container)]);
  return containerConfig({
    pod,
    container,
    image: facts.image,
    attempt,
    // What the container says itself holds.
    env: new Map([...grant.env, ...env]),
    mounts: [...mounts, ...grant.mounts],
    lastWords: await facts.files,
    devices: [...containerDevices(pod, container, volumes), ...grant.devices],
    grant,
    folders: parts.folders,
    rootFolder: parts.node.rootFolder,
    memoryCapacityBytes: parts.memoryCapacityBytes,
    ...(target === undefined ? {} : { target }),
  });
}

/** Makes the files on the node that every container has; gives the one for its last words. */
async function containerFiles(parts: NodeParts, { pod, container, attempt }: StartInput, podIps: readonly string[]) {
  const [lastWords] = await Promise.all([
    terminationMessageMount(parts.folders, { pod, container, attempt }),
    writeHosts(parts, pod, podIps),
  ]);
  return lastWords;
}

/** The hosts file is the pod's: its first container has it written, and those after a kubelet that was cut short in the middle. */
async function writeHosts({ folders, node, hostsFile: nodeHosts }: NodeParts, pod: Pod, ips: readonly string[]) {
  const path = folders.hosts(pod.metadata.uid);
  const text = hostsFile(pod, { ips, clusterDomain: node.clusterDomain, nodeHosts });
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/** Id of the container whose processes an ephemeral container is to see. */
function targetOf(parts: NodeParts, pod: Pod, container: Container): string | undefined {
  const name = pod.spec.ephemeralContainers?.find((one) => one.name === container.name)?.targetContainerName;
  if (name === undefined || name === "") return undefined;
  const target = newest(parts.cache.view(pod.metadata.uid), name);
  if (target?.state === "running") return target.id;
  throw new ContainerConfigError(`unable to find target container ${name}`);
}

/** A container whose postStart hook fails is ended, and restarted by the pod's policy. */
async function postStart(
  parts: NodeParts,
  { pod, container, signal }: StartInput,
  { id, podIp }: { readonly id: string; readonly podIp: string },
): Promise<void> {
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return;
  try {
    const { runtime, clock } = parts;
    await runHook(hook, { container, containerId: id, podIp }, { runtime, clock, signal });
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    parts.recorder.record(Pods, pod, {
      type: "Warning",
      reason: "FailedPostStartHook",
      message: "PostStartHook failed",
      fieldPath: fieldPathOf(pod, container),
    });
    const status = parts.cache.view(pod.metadata.uid).containers.find((one) => one.id === id);
    if (status !== undefined) {
      await stopContainer(parts, pod, status, {
        graceSeconds: pod.spec.terminationGracePeriodSeconds ?? 30,
        message: `FailedPostStartHook`,
        podIp,
        signal,
      });
    }
    throw new StartFailure("PostStartHookError", describeError(error), 0);
  }
}
