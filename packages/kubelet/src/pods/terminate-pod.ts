import type { Pod } from "@skiff/api";
import { hostPortsOf } from "./admission.ts";
import type { NodeParts } from "./node-parts.ts";
import { sidecars } from "./restart-policy.ts";
import { stopContainer } from "./stop-container.ts";

/**
 * Ends all containers of a pod and its sandboxes. All preStop hooks run at once; then the pod's own containers are stopped,
 * all at once, and after them its sidecars, the last one first, within one grace for all.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#termination-with-sidecars
 */
export async function terminatePod(
  parts: NodeParts,
  pod: Pod,
  options: {
    readonly graceSeconds: number;
    /** Everything of the pod is removed next, which stops its sandboxes too. */
    readonly isRemovedNext: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { runtime, cache } = parts;
  const { graceSeconds, signal } = options;
  const { sandboxes, containers } = cache.view(pod.metadata.uid);
  const podIp = sandboxes[0]?.ips[0] ?? "";
  const order = sidecars(pod).map((one) => one.name);
  const running = containers.filter((one) => one.state === "running" || one.state === "unknown");
  const stopAll = (names: (name: string) => boolean, turn?: Promise<unknown>) =>
    Promise.all(
      running
        .filter((one) => names(one.name))
        .map((one) => {
          const message = `Stopping container ${one.name}`;
          const when = turn === undefined ? {} : { turn };
          return stopContainer(parts, pod, one, { graceSeconds, message, podIp, signal, ...when });
        }),
    );
  let turn: Promise<unknown> = stopAll((name) => !order.includes(name));
  const stops = [turn];
  for (const sidecar of order.toReversed()) {
    const before = turn;
    // A failure is told once, by the stop that failed.
    const mine = stopAll(
      (name) => name === sidecar,
      before.catch(() => {}),
    );
    turn = Promise.all([before, mine]).catch(() => {});
    stops.push(mine);
  }
  await Promise.all(stops);
  // Each stop of a sandbox is a run of all its network's plugins. Who waits for a port of the node is not kept waiting.
  if (options.isRemovedNext && hostPortsOf(pod).length === 0) return;
  await Promise.all(
    sandboxes.filter((one) => one.state === "ready").map((one) => runtime.stopPodSandbox(one.id, signal)),
  );
  await Promise.all(sandboxes.map((one) => cache.refreshSandbox(one.id, signal)));
}
