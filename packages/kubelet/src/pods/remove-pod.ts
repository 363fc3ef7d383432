import { rm } from "node:fs/promises";
import type { Pod } from "@skiff/api";
import { removeTree } from "@skiff/host";
import type { ContainerStatus } from "@skiff/runtime";
import type { NodeParts } from "./node-parts.ts";
import { restartsAll } from "./plan.ts";
import type { PodIdentity } from "./pod-identity.ts";
import { runtimeAnnotations } from "./runtime-labels.ts";

/** Takes away everything that a pod whose containers have ended leaves on the node: sandboxes, volumes, cgroup, logs. */
export async function removePod(parts: NodeParts, pod: PodIdentity, signal: AbortSignal): Promise<void> {
  const { runtime, cache, folders } = parts;
  const { sandboxes, containers } = cache.view(pod.uid);
  await Promise.all(
    sandboxes.map(async (one) => {
      await runtime.removePodSandbox(one.id, signal);
      cache.forgetSandbox(one.id);
      for (const container of containers) if (container.sandboxId === one.id) cache.forgetContainer(container.id);
    }),
  );
  // Containers whose sandbox is gone already.
  for (const container of cache.view(pod.uid).containers) {
    await runtime.removeContainer(container.id, signal);
    cache.forgetContainer(container.id);
  }
  await parts.volumes.removePod(pod.uid, signal);
  await parts.cgroups.remove(pod);
  await parts.claims.unprepare(pod.uid, signal);
  parts.grants.release(pod.uid);
  await removeTree(folders.podLogs(pod));
  parts.images.forget(pod.uid);
}

/** Ends and removes a pod that the API no longer has. */
export async function removeOrphan(parts: NodeParts, pod: PodIdentity, signal: AbortSignal): Promise<void> {
  const { runtime, cache } = parts;
  const { containers } = cache.view(pod.uid);
  await Promise.all(
    containers
      .filter((one) => one.state === "running")
      .map((one) => {
        const grace = Number(one.annotations[runtimeAnnotations.podGracePeriodSeconds] ?? 30);
        return runtime.stopContainer(one.id, Number.isFinite(grace) ? grace : 30, signal);
      }),
  );
  await removePod(parts, pod, signal);
}

/**
 * Removes all containers of a pod, which have ended, so that it begins anew. That whose end is the reason goes last: if the
 * agent ends in between, its successor finds the reason still there.
 */
export async function removeContainers(parts: NodeParts, pod: Pod, signal: AbortSignal): Promise<void> {
  const { runtime, cache } = parts;
  const { containers, sandboxes } = cache.view(pod.metadata.uid);
  const isReason = (one: ContainerStatus) => restartsAll(pod, { sandboxes, containers: [one] });
  const remove = async ({ id }: ContainerStatus) => {
    await runtime.removeContainer(id, signal);
    cache.forgetContainer(id);
  };
  await Promise.all(containers.filter((one) => !isReason(one)).map(remove));
  await Promise.all(containers.filter(isReason).map(remove));
}

/** Removes ended containers beyond the newest two of each name (the last, and the one before it for its log). */
export async function collectGarbage(parts: NodeParts, uid: string, signal: AbortSignal): Promise<void> {
  const { runtime, cache } = parts;
  const view = cache.view(uid);
  const seen = new Map<string, number>();
  for (const container of view.containers) {
    const count = (seen.get(container.name) ?? 0) + 1;
    seen.set(container.name, count);
    if (count <= 2 || container.state === "running") continue;
    await runtime.removeContainer(container.id, signal);
    cache.forgetContainer(container.id);
    if (container.logPath !== "") await rm(container.logPath, { force: true });
  }
  const used = new Set(cache.view(uid).containers.map((one) => one.sandboxId));
  for (const sandbox of view.sandboxes.slice(1)) {
    if (sandbox.state === "ready" || used.has(sandbox.id)) continue;
    await runtime.removePodSandbox(sandbox.id, signal);
    cache.forgetSandbox(sandbox.id);
  }
}
