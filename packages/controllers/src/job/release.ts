import { isNotFound, type Pod, Pods } from "@skiff/api";
import type { ReconcileContext } from "@skiff/control-loop";
import { trackingFinalizer } from "./observed.ts";

/** Lets a pod go that was held until it was counted. */
export async function release(
  pod: Pod,
  { client, signal }: Pick<ReconcileContext, "client" | "signal">,
): Promise<void> {
  const { uid } = pod.metadata;
  const patch = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } };
  try {
    await client.patch(Pods, pod.metadata, patch, { type: "strategic", signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
