import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Pod, Pods, RuntimeClasses } from "@skiff/api";
import { describeError, isAbort } from "@skiff/base";
import type { SandboxConfig, SandboxStatus } from "@skiff/runtime";
import { dnsWarnings } from "./dns.ts";
import type { NodeParts } from "./node-parts.ts";
import { sandboxConfig } from "./sandbox-config.ts";

/** The configuration that a pod's sandbox has, or had: containers are made with it too. */
export const configOfSandbox = (parts: NodeParts, pod: Pod, attempt: number, runtimeHandler = ""): SandboxConfig =>
  sandboxConfig(pod, attempt, {
    runtimeHandler,
    node: parts.node,
    folders: parts.folders,
    cgroupParent: parts.cgroups.path(pod),
    hostDns: parts.hostDns,
  });

/** Makes a pod's sandbox, after taking down those it had. */
export async function makeSandbox(
  parts: NodeParts,
  pod: Pod,
  options: { readonly attempt: number; readonly old: readonly SandboxStatus[]; readonly signal: AbortSignal },
): Promise<void> {
  const { runtime, cache, folders, recorder } = parts;
  const { signal } = options;
  const { uid } = pod.metadata;
  parts.lifeCounts.podStarts(pod);
  await prepareClaims(parts, pod, signal);
  try {
    await Promise.all(options.old.map((one) => runtime.stopPodSandbox(one.id, signal)));
    await Promise.all(options.old.map((one) => cache.refreshSandbox(one.id, signal)));
    if (options.old.length > 0) {
      await refreshContainers(parts, uid, signal);
      const message = "Pod sandbox changed, it will be killed and re-created.";
      recorder.record(Pods, pod, { type: "Normal", reason: "SandboxChanged", message });
    }
    if (pod.spec.hostUsers === false && !runtime.features.userNamespaces)
      throw new Error("can't set `spec.hostUsers: false`, runtime does not support user namespaces");
    const config = configOfSandbox(parts, pod, options.attempt, await runtimeHandlerOf(parts, pod, signal));
    for (const { reason, message } of dnsWarnings(pod, parts.node, parts.hostDns))
      recorder.record(Pods, pod, { type: "Warning", reason, message });
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    await Promise.all([
      parts.cgroups.create(pod),
      mkdir(dirname(folders.hosts(uid)), { recursive: true, mode: 0o750 }),
      ...containers.map((one) => mkdir(join(config.logDirectory, one.name), { recursive: true, mode: 0o755 })),
    ]);
    const id = await runtime.runPodSandbox(config, signal);
    await cache.refreshSandbox(id, signal);
  } catch (error) {
    if (!isAbort(error, signal)) {
      parts.lifeCounts.podFailed(pod);
      const message = `Failed to create pod sandbox: ${describeError(error)}`;
      recorder.record(Pods, pod, { type: "Warning", reason: "FailedCreatePodSandBox", message });
    }
    throw error;
  }
}

/** Has the pod's claims made ready, before anything of it runs. */
async function prepareClaims({ claims, recorder }: NodeParts, pod: Pod, signal: AbortSignal): Promise<void> {
  try {
    await claims.prepare(pod, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const message = `Failed to prepare dynamic resources: ${describeError(error)}`;
    recorder.record(Pods, pod, { type: "Warning", reason: "FailedPrepareDynamicResources", message });
    throw error;
  }
}

/** The handler that the pod's RuntimeClass names; empty without one. */
async function runtimeHandlerOf(parts: NodeParts, pod: Pod, signal: AbortSignal): Promise<string> {
  const name = pod.spec.runtimeClassName;
  if (name === undefined || name === "") return "";
  return (await parts.client.get(RuntimeClasses, { name }, { signal })).handler;
}

/** What ran in a sandbox that was stopped has ended: the runtime says how. */
async function refreshContainers(parts: NodeParts, uid: string, signal: AbortSignal): Promise<void> {
  const running = parts.cache.view(uid).containers.filter((one) => one.state === "running");
  await Promise.all(running.map((one) => parts.cache.refreshContainer(one.id, signal)));
}
