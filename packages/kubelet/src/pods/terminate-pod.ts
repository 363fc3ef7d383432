import type { Pod } from "@skiff/api";
import type { NodeParts } from "./node-parts.ts";
import { sidecars } from "./restart-policy.ts";
import { stopContainer } from "./stop-container.ts";

/**
 * Ends all containers of a pod and its sandboxes: first the pod's own containers, all at once, then its sidecars, the last
 * one first, within what is left of the grace.
 */
export async function terminatePod(
  parts: NodeParts,
  pod: Pod,
  options: { readonly graceSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const { runtime, cache, clock } = parts;
  const { signal } = options;
  const { uid } = pod.metadata;
  const startMs = clock.monotonic();
  const { sandboxes, containers } = cache.view(uid);
  const podIp = sandboxes[0]?.ips[0] ?? "";
  const order = sidecars(pod).map((one) => one.name);
  const graceLeft = () => Math.max(1, options.graceSeconds - Math.floor((clock.monotonic() - startMs) / 1000));
  const stop = (name: string, id: string) => {
    const status = cache.view(uid).containers.find((one) => one.id === id);
    if (status === undefined) return Promise.resolve();
    const message = `Stopping container ${name}`;
    return stopContainer(parts, pod, status, { graceSeconds: graceLeft(), message, podIp, signal });
  };
  const running = containers.filter((one) => one.state === "running" || one.state === "unknown");
  await Promise.all(running.filter((one) => !order.includes(one.name)).map((one) => stop(one.name, one.id)));
  for (const name of order.toReversed()) {
    for (const one of running.filter((container) => container.name === name)) await stop(one.name, one.id);
  }
  await Promise.all(
    sandboxes.filter((one) => one.state === "ready").map((one) => runtime.stopPodSandbox(one.id, signal)),
  );
  await Promise.all(sandboxes.map((one) => cache.refreshSandbox(one.id, signal)));
}
