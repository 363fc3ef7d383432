import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Pod } from "@skiff/api";
import { describeError, type Logger } from "@skiff/base";
import { GrpcServer, GrpcStatus, serve } from "@skiff/grpc";
import { podResourcesLister } from "./messages.ts";
import { allocatableResources, type GivingParts, podResources } from "./pod-resources.ts";

/**
 * Tells others on the node which pods have which devices, CPUs and memory: monitoring agents ask for it.
 * https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/#monitoring-device-plugin-resources
 */
export async function servePodResources(
  socket: string,
  {
    parts,
    pods,
    logger,
  }: { readonly parts: GivingParts; readonly pods: () => readonly Pod[]; readonly logger: Logger },
): Promise<AsyncDisposable> {
  try {
    await mkdir(dirname(socket), { recursive: true, mode: 0o750 });
    return await GrpcServer.listen(socket, [
      serve(podResourcesLister.list, async () => ({ podResources: pods().map((pod) => podResources(pod, parts)) })),
      serve(podResourcesLister.getAllocatable, async () => allocatableResources(parts)),
      serve(podResourcesLister.get, async ({ podName, podNamespace }) => {
        const pod = pods().find(({ metadata }) => metadata.name === podName && metadata.namespace === podNamespace);
        if (pod === undefined) throw new GrpcStatus("UNKNOWN", `pod ${podName} in namespace ${podNamespace} not found`);
        return { podResources: podResources(pod, parts) };
      }),
    ]);
  } catch (error) {
    // Pods run without it.
    logger.error(`who has which devices cannot be asked for: ${describeError(error)}`);
    return { [Symbol.asyncDispose]: async () => {} };
  }
}
